#pragma once
#include <embedrouter/error.h>

#include <optional>

#include "net/client.h"

namespace embedrouter::net {

// The failure that an answer is which sends its client elsewhere: it names the host, and nothing goes there.
std::optional<Error> redirect_fault(const ClientResponse& answer, const Url& origin);

}  // namespace embedrouter::net
