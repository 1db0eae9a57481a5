#pragma once
// What the commands that ask a router share: which one, as whom, and what an error comes to.

#include <embedrouter/client.h>

#include <functional>
#include <string>
#include <string_view>

#include "apps/common.h"

namespace embedrouter::apps {

struct RouterOptions {
  Where where;
  std::string server;
  bool json = false;  // print the answer as it is
};
void add_router_options(CLI::App& command, RouterOptions& options);

// The router of --server, else of OPENROUTER_BASE_URL, else of the configuration, with the key from
// OPENROUTER_API_KEY, else, for a router of this machine, the one kept in the data directory: the host is a
// loopback address, or host and port are those the configured router listens on. No answer that `client` gets
// holds the key.
struct RouterClient {
  std::string base_url;  // "http://127.0.0.1:8080/api/v1"; empty: the model in this process
  sdk::Client client;
  bool has_key = false;
};
Result<RouterClient> find_router(const RouterOptions& options, const catalog::Config& config,
                                 const sdk::RetryConfig& retries = sdk::RetryConfig::none());

// Tells why there is no good answer: on std::cerr, or, with --json, by the server's own answer on std::cout.
// `without`: what else may be done where no router answers. Returns the exit status.
int complain(const RouterOptions& options, const RouterClient& router, const sdk::Error& error,
             std::string_view without = {});

struct RouterRequest {
  std::string_view method;  // a literal
  std::string path;         // behind the base URL
  std::string body;
};
// What no operation of the SDK does. Asks once and waits; prints the body of a 200, which is a JSON object,
// or with --json the body itself. Returns the exit status.
int ask(const RouterOptions& options, const catalog::Config& config, RouterRequest request,
        const std::function<Result<void>(std::string_view body)>& print);

bool is_json_object(std::string_view text);

}  // namespace embedrouter::apps
