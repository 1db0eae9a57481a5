#pragma once
#include <embedrouter/result.h>

#include <string>

#include "net/stream.h"

namespace embedrouter::net {

// "127.0.0.1:8080", "[::1]:0", "localhost:80": numbers and "localhost" only, so that nothing is asked of the
// network.
Result<Tcp::endpoint> parse_listen_address(const std::string& address);

// A listening, non-blocking socket; `endpoint` gets the port the system chose for 0. The caller closes it.
Result<int> open_listener(Tcp::endpoint& endpoint);

}  // namespace embedrouter::net
