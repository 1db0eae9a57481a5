#include "apps/http_call.h"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <iostream>
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

// Which router, and as whom.
struct Target {
  std::string base_url;  // "http://127.0.0.1:8080/api/v1"
  std::string key;       // empty: no Authorization header
};

Task<void> send(net::Client& client, net::ClientRequest& request,
                std::optional<Result<net::ClientResponse>>& answer) {
  answer = co_await client.send(std::move(request));
}

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

// One request, waited for. Failures are transport failures; any status is an answer.
Result<net::ClientResponse> call(const Target& target, RouterRequest asked) {
  auto url = net::Url::parse(target.base_url);
  if (!url) return fail(std::move(url).error());
  net::ClientRequest request;
  request.method = asked.method;
  request.target = url->path + asked.path;
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"User-Agent", "embedrouter-cli"});
  if (!asked.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  if (!target.key.empty()) request.headers.push_back({"Authorization", "Bearer " + target.key});
  request.body = Body(std::move(asked.body));

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

// "error.message" of an error body, or the body's beginning.
std::string error_message(const net::ClientResponse& response) {
  const api::UpstreamComplaint said = api::read_complaint(response.body->view());
  return "the router answered " + std::to_string(response.status) +
         (said.message.empty() ? "" : ": " + said.message);
}

int complain(std::string_view why, Exit status) {
  std::cerr << why << "\n";
  return status;
}

}  // namespace

void add_router_options(CLI::App& command, RouterOptions& options) {
  command.add_option("--server", options.server, "Base URL of the router, e.g. http://127.0.0.1:8080/api/v1");
  add_where(command, options.where);
  command.add_flag("--json", options.json, "Print the whole answer");
}

int ask(const RouterOptions& options, const catalog::Config& config, RouterRequest request,
        const std::function<Result<void>(const net::ClientResponse&)>& print, std::string_view without) {
  auto target = find_target(options.server, config);
  if (!target) return complain(target.error().message(), kAuth);
  auto response = call(*target, std::move(request));
  if (!response) {
    return complain("no answer from " + target->base_url + ": " + response.error().message() +
                        ". Start it with `embedrouter serve`" + std::string(without),
                    kTransport);
  }
  if (options.json) std::cout << response->body->view() << '\n';
  if (response->status != 200) {
    if (!options.json) std::cerr << error_message(*response) << "\n";
    return exit_for_status(response->status);
  }
  if (options.json) return kOk;
  auto printed = print(*response);
  return printed ? kOk : complain(printed.error().message(), kUpstream);
}

}  // namespace embedrouter::apps
