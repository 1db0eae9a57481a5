#pragma once
#include <embedrouter/error.h>

#include <optional>

#include "net/client.h"

namespace embedrouter::net {

// Why a request cannot be sent as it is: it would be another one, or two, on the wire.
std::optional<Error> unfit_to_send(const ClientRequest& request);

inline bool needs_length(const ClientRequest& request) {
  return !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
}

}  // namespace embedrouter::net
