#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "net/http2_connection.h"
#include "net/signal.h"

namespace embedrouter::net {

// The HTTP/2 connections to one origin, and the opening of more. As long as the upstream may speak HTTP/2,
// requests wait for a connection that is being opened rather than open one each. Of those that carry nothing,
// as many stay open as limits.idle_connections says. One thread.
class Http2Pool {
 public:
  explicit Http2Pool(std::shared_ptr<Origin> origin);
  Http2Pool(const Http2Pool&) = delete;
  Http2Pool& operator=(const Http2Pool&) = delete;
  ~Http2Pool();

  // Where a request may go: an HTTP/2 connection with room, or a new connection that speaks HTTP/1.1.
  struct Place {
    Place() = default;
    std::shared_ptr<Http2Connection> connection;
    std::optional<Link<TlsStream>> link;
    std::optional<Error> failure;
  };
  // On a connection opened at `since` or later. `total`: the request's deadline.
  Task<Place> place(Clock::Steady total, Clock::Steady since);
  std::size_t idle() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace embedrouter::net
