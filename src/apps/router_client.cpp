#include "apps/router_client.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "api/error_body.h"
#include "api/json_cursor.h"
#include "base/ascii.h"
#include "catalog/values.h"
#include "ledger/first_key.h"
#include "net/client.h"
#include "sdk/debug_log.h"
#include "sdk/resource_call.h"

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
std::string described(const RouterClient& router, int status, std::string_view body) {
  const api::UpstreamComplaint said = api::read_complaint(body);
  if (router.base_url.empty() && !said.message.empty()) return said.message;
  std::string told = "the router answered " + std::to_string(status);
  if (!said.message.empty()) told += ": " + said.message;
  if (status == 401 && !router.has_key) told += " (no key was sent: set OPENROUTER_API_KEY)";
  return told;
}

// The kept key opens this machine's router, so nobody else is shown it.
bool is_of_this_machine(std::string_view base_url, std::string_view listen) {
  const auto url = net::Url::parse(base_url);
  if (!url) return false;
  if (catalog::is_loopback({url->host, url->port})) return true;
  const auto own = catalog::parse_listen(listen);
  return own && same_ignoring_case(own->host, url->host) && own->port == url->port;
}

// A server may show what it was sent.
sdk::Result<void> without_key(const sdk::HookContext& /*of*/, sdk::HttpResponse& answer) {
  sdk::redact(answer.body, answer.secret);
  return {};
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
  const bool own = url.empty() || is_of_this_machine(url, config.server.listen);
  if (url.empty()) {
    const char* scheme = config.server.tls_cert_file.empty() ? "http://" : "https://";
    url = scheme + config.server.listen + "/api/v1";
  }
  while (url.ends_with('/')) url.pop_back();
  std::string key = variable("OPENROUTER_API_KEY");
  if (key.empty() && own && config.server.auth == catalog::Auth::required) {
    auto kept = ledger::read_cli_key(config.server.data_dir);
    if (!kept) return fail(std::move(kept).error());
    key = kept->value_or("");
  }
  const bool has_key = !key.empty();
  sdk::ClientOptions client;
  client.hooks.after_success = without_key;
  if (has_key) client.api_key = std::move(key);
  client.server_url = url;
  // It would be shown the key, and could not reach this machine's loopback address.
  if (own) client.transport_options.proxy = "";
  client.retries = retries;
  client.timeout = kPatience;
  return RouterClient{std::move(url), sdk::Client(std::move(client)), has_key};
}

int complain(const RouterOptions& options, const RouterClient& router, const sdk::Error& error,
             std::string_view without) {
  const auto* answer = error.answer();
  if (answer == nullptr && error.is_transport()) {
    return complain("no answer from " + router.base_url + ": " + error.message() +
                        ". Start it with `embedrouter serve`" + std::string(without),
                    kTransport);
  }
  if (answer == nullptr)
    return complain(error.message(), error.kind() == sdk::ErrorKind::usage ? kUsage : kFailure);
  if (answer->status == 200) {
    return complain(error.kind() == sdk::ErrorKind::unexpected_response
                        ? router.base_url + " answered, but not with JSON: is it the base URL of a router?"
                        : error.message(),
                    kUpstream);
  }
  const Exit status = Exit(exit_for_status(answer->status));
  if (!options.json) return complain(described(router, answer->status, answer->body), status);
  std::cout << answer->body << '\n';
  return status;
}

int ask(const RouterOptions& options, const catalog::Config& config, RouterRequest request,
        const std::function<Result<void>(std::string_view)>& print) {
  const auto router = find_router(options, config);
  if (!router) return complain(router.error().message(), kAuth);
  const sdk::Operation operation{"embedrouter.ask", request.method};
  const auto body =
      sdk::ready<std::string>(
          router->client.connection(),
          sdk::call_of(operation, std::move(request.path), std::string(), {}, std::move(request.body)),
          [operation](sdk::HttpResponse answer) -> sdk::Result<std::string> {
            if (!sdk::is_success(operation, answer))
              return sdk::fail(sdk::error_of(operation, std::move(answer)));
            if (!is_json_object(answer.body))
              return sdk::fail(sdk::validation_error(std::move(answer), "no JSON object"));
            return std::move(answer.body);
          })
          .get();
  if (!body) return complain(options, *router, body.error());
  if (options.json) {
    std::cout << *body << '\n';
    return kOk;
  }
  const auto printed = print(*body);
  return printed ? kOk : complain(printed.error().message(), kUpstream);
}

bool is_json_object(std::string_view text) {
  api::JsonCursor cursor(text);
  return cursor.kind() == api::JsonKind::object && cursor.skip() && cursor.finish();
}

}  // namespace embedrouter::apps
