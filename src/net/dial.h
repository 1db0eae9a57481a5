#pragma once
#include <embedrouter/result.h>

#include <memory>

#include "net/origin.h"

namespace embedrouter::net {

// An open connection, TLS and all.
template <class Stream>
struct Link {
  Link() = default;
  std::unique_ptr<Stream> stream;
  Tcp::endpoint peer;
  bool http2 = false;
};

// Opens one: finds the origin's addresses, connects to the first that answers or through the proxy, and
// shakes hands, all within the deadline for connecting and `total`, the request's own.
template <class Stream>
Task<Result<Link<Stream>>> dial(std::shared_ptr<Origin> origin, Clock::Steady total);

extern template Task<Result<Link<Socket>>> dial<Socket>(std::shared_ptr<Origin>, Clock::Steady);
extern template Task<Result<Link<TlsStream>>> dial<TlsStream>(std::shared_ptr<Origin>, Clock::Steady);

}  // namespace embedrouter::net
