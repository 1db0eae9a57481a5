#pragma once
// What the commands that ask a router share.

#include <embedrouter/result.h>

#include <functional>
#include <string>

#include "apps/common.h"
#include "net/client.h"

namespace embedrouter::apps {

struct RouterOptions {
  Where where;
  std::string server;
  bool json = false;  // print the answer as it is
};
void add_router_options(CLI::App& command, RouterOptions& options);

struct RouterRequest {
  std::string_view method;
  std::string path;  // behind the base URL
  std::string body;
};

// Asks the router of --server, else of OPENROUTER_BASE_URL, else of the configuration, with the key from
// OPENROUTER_API_KEY, else, for a router of this machine, the one kept in the data directory. `print` gets a
// 200 that is not wanted as JSON. Waits; what went wrong is told on std::cerr. Returns the exit status.
// `without`: what else may be done where no router answers.
int ask(const RouterOptions& options, const catalog::Config& config, RouterRequest request,
        const std::function<Result<void>(const net::ClientResponse&)>& print, std::string_view without = {});

}  // namespace embedrouter::apps
