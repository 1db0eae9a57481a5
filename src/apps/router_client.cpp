#include "apps/router_client.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
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

int complain(std::string_view why, Exit status) {
  std::cerr << why << "\n";
  return status;
}

// The API's own words about an answer that is not a 200.
std::string described(int status, std::string_view body) {
  const api::UpstreamComplaint said = api::read_complaint(body);
  return "the router answered " + std::to_string(status) + (said.message.empty() ? "" : ": " + said.message);
}

}  // namespace

void add_router_options(CLI::App& command, RouterOptions& options) {
  command.add_option("--server", options.server, "Base URL of the router, e.g. http://127.0.0.1:8080/api/v1")
      ->type_name("URL");
  add_where(command, options.where);
  command.add_flag("--json", options.json, "Print the whole answer");
}

Result<RouterClient> find_router(const RouterOptions& options, const catalog::Config& config,
                                 const sdk::RetryConfig& retries) {
  std::string url = options.server.empty() ? variable("OPENROUTER_BASE_URL") : options.server;
  const bool own = url.empty();
  if (own) {
    const char* scheme = config.server.tls_cert_file.empty() ? "http://" : "https://";
    url = scheme + config.server.listen + "/api/v1";
  }
  while (url.ends_with('/')) url.pop_back();
  std::string key = variable("OPENROUTER_API_KEY");
  if (key.empty() && config.server.auth == catalog::Auth::required) {
    auto kept = ledger::read_cli_key(config.server.data_dir);
    if (kept) {
      key = kept->value_or("");
    } else if (own) {
      return fail(std::move(kept).error());
    }
  }
  sdk::ClientOptions client;
  if (!key.empty()) client.api_key = std::move(key);
  client.server_url = url;
  client.retries = retries;
  client.timeout = kPatience;
  return RouterClient{std::move(url), sdk::Client(std::move(client))};
}

int complain(const RouterClient& router, const sdk::Error& error, std::string_view without) {
  if (const auto* answer = error.answer(); answer != nullptr) {
    if (answer->status == 200) return complain(error.message(), kUpstream);
    return complain(described(answer->status, answer->body), Exit(exit_for_status(answer->status)));
  }
  if (!error.is_transport())
    return complain(error.message(), error.kind() == sdk::ErrorKind::usage ? kUsage : kFailure);
  return complain("no answer from " + router.base_url + ": " + error.message() +
                      ". Start it with `embedrouter serve`" + std::string(without),
                  kTransport);
}

int ask(const RouterOptions& options, const catalog::Config& config, RouterRequest request,
        const std::function<Result<void>(std::string_view)>& print, std::string_view without) {
  auto router = find_router(options, config);
  if (!router) return complain(router.error().message(), kAuth);
  sdk::ApiCall call{.operation = "embedrouter.ask",
                    .method = request.method,
                    .path = std::move(request.path),
                    .query = {},
                    .accept = "application/json",
                    .body = nullptr,
                    .bearer = {},
                    .options = {}};
  if (!request.body.empty()) call.body = std::make_shared<const std::string>(std::move(request.body));
  // Any status is an answer here: its body is what --json prints.
  auto response = sdk::Call<sdk::HttpResponse>(
                      router->client.connection(), std::move(call),
                      [](sdk::HttpResponse answer) -> sdk::Result<sdk::HttpResponse> { return answer; })
                      .get();
  if (!response) return complain(*router, response.error(), without);
  if (options.json) std::cout << response->body << '\n';
  if (response->status != 200) {
    if (!options.json) std::cerr << described(response->status, response->body) << "\n";
    return exit_for_status(response->status);
  }
  if (options.json) return kOk;
  auto printed = print(response->body);
  return printed ? kOk : complain(printed.error().message(), kUpstream);
}

}  // namespace embedrouter::apps
