#include "apps/http_call.h"

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <optional>

#include "api/error_body.h"
#include "ledger/first_key.h"

namespace embedrouter::apps {
namespace {

constexpr std::chrono::minutes kPatience{10};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Task<void> send(net::Client& client, net::ClientRequest& request,
                std::optional<Result<net::ClientResponse>>& answer) {
  answer = co_await client.send(std::move(request));
}

}  // namespace

Result<Target> find_target(const std::string& server_flag, const catalog::Config& config) {
  Target target;
  target.base_url = server_flag.empty() ? variable("OPENROUTER_BASE_URL") : server_flag;
  const bool own = target.base_url.empty();
  if (own) {
    const char* scheme = config.server.tls_cert_file.empty() ? "http://" : "https://";
    target.base_url = scheme + config.server.listen + "/api/v1";
  }
  while (target.base_url.ends_with('/')) target.base_url.pop_back();
  target.key = variable("OPENROUTER_API_KEY");
  if (target.key.empty() && config.server.auth == catalog::Auth::required) {
    auto kept = ledger::read_cli_key(config.server.data_dir);
    if (kept) {
      target.key = kept->value_or("");
    } else if (own) {
      return fail(std::move(kept).error());
    }
  }
  return target;
}

Result<net::ClientResponse> call(const Target& target, std::string_view method, const std::string& path,
                                 std::string body) {
  auto url = net::Url::parse(target.base_url);
  if (!url) return fail(std::move(url).error());
  net::ClientRequest request;
  request.method = method;
  request.target = url->path + path;
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"User-Agent", "embedrouter-cli"});
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  if (!target.key.empty()) request.headers.push_back({"Authorization", "Bearer " + target.key});
  request.body = Body(std::move(body));

  asio::io_context io{1};
  net::ClientOptions options;
  options.deadlines.first_byte = kPatience;
  auto client = net::Client::make(io, *std::move(url), options);
  if (!client) return fail(std::move(client).error());
  std::optional<Result<net::ClientResponse>> answer;
  asio::co_spawn(io, send(**client, request, answer), [&io](const std::exception_ptr&) { io.stop(); });
  io.run();
  if (!answer) return fail(ErrorCode::internal, "the request ended without an answer");
  return *std::move(answer);
}

std::string error_message(const net::ClientResponse& response) {
  const api::UpstreamComplaint said = api::read_complaint(response.body->view());
  return "the router answered " + std::to_string(response.status) +
         (said.message.empty() ? "" : ": " + said.message);
}

}  // namespace embedrouter::apps
