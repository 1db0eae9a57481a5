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
// OPENROUTER_API_KEY, else, for a router of this machine, the one kept in the data directory.
struct RouterClient {
  std::string base_url;  // "http://127.0.0.1:8080/api/v1"
  sdk::Client client;
};
Result<RouterClient> find_router(const RouterOptions& options, const catalog::Config& config,
                                 const sdk::RetryConfig& retries = sdk::RetryConfig::none());

// Tells on std::cerr why there is no good answer. `without`: what else may be done where no router answers.
// Returns the exit status.
int complain(const RouterClient& router, const sdk::Error& error, std::string_view without = {});

struct RouterRequest {
  std::string_view method;  // a literal
  std::string path;         // behind the base URL
  std::string body;
};
// Asks once and waits. `print` gets the body of a 200 that is not wanted as JSON. What went wrong is told on
// std::cerr. Returns the exit status.
int ask(const RouterOptions& options, const catalog::Config& config, RouterRequest request,
        const std::function<Result<void>(std::string_view body)>& print, std::string_view without = {});

}  // namespace embedrouter::apps
