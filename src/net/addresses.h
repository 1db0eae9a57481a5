#pragma once
#include <embedrouter/error.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/lookup.h"
#include "net/signal.h"

namespace embedrouter::net {

// The addresses of one host. A name is looked up on a thread of its own, so that a slow name server for one
// upstream holds up no other, and by one thread at a time; an answer serves for a few seconds, or until one
// of its addresses fails. While the name server fails or is silent, the last good answer goes on serving, for
// `stale` at most (RFC 8767). One thread; destroyed before its io_context.
class Addresses {
 public:
  Addresses(asio::io_context& io, std::string host, std::uint16_t port, Lookup lookup,
            std::chrono::milliseconds stale);
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;
  ~Addresses();

  struct Found {
    Found() = default;
    Woken woken = Woken::notified;  // anything else: no answer was awaited
    std::optional<Error> failure;
    std::vector<Tcp::endpoint> addresses;  // in the order to try: families in turn, what failed lately last
  };
  Task<Found> find(Clock::Steady deadline);
  // It could not be connected to: the name is looked up again, and this one tried after the others.
  void failed(const Tcp::endpoint& address);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace embedrouter::net
