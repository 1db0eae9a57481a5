#pragma once
#include <embedrouter/result.h>

#include <string>

#include "catalog/config.h"
#include "net/client.h"

namespace embedrouter::apps {

// Which router a command talks to, and as whom.
struct Target {
  std::string base_url;  // "http://127.0.0.1:8080/api/v1"
  std::string key;       // empty: no Authorization header
};

// From --server, else OPENROUTER_BASE_URL, else the address of the configuration; the key from
// OPENROUTER_API_KEY, else, for the router of this machine, the one kept in the data directory.
Result<Target> find_target(const std::string& server_flag, const catalog::Config& config);

// One request, waited for. Failures are transport failures; any status is an answer.
Result<net::ClientResponse> call(const Target& target, std::string_view method, const std::string& path,
                                 std::string body);

// "error.message" of an error body, or the body's beginning.
std::string error_message(const net::ClientResponse& response);

}  // namespace embedrouter::apps
