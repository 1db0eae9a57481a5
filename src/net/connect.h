#pragma once
#include <optional>
#include <vector>

#include "net/signal.h"

namespace embedrouter::net {

struct Connected {
  Connected() = default;
  std::optional<Socket> socket;  // none: why is in the others
  Tcp::endpoint peer;
  Woken woken = Woken::notified;      // late: the deadline has passed; cancelled: the coroutine is
  error_code error;                   // of the address that failed last
  std::vector<Tcp::endpoint> failed;  // refused, or silent until the deadline
};

// Connects to the first of `addresses` that answers, in their order (RFC 8305): the next one is tried at once
// when one fails, and beside it when it has not answered for a while. `addresses` is not empty and outlives
// the task.
Task<Connected> connect_first(asio::io_context& io, const std::vector<Tcp::endpoint>& addresses,
                              Clock::Steady deadline);

}  // namespace embedrouter::net
