#pragma once
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstddef>
#include <vector>

#include "base/body.h"
#include "base/clock.h"
#include "base/task.h"

namespace embedrouter::net {

using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using TlsStream = asio::ssl::stream<Socket>;

template <class Stream>
inline constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

inline Socket& socket_of(Socket& stream) {
  return stream;
}
inline Socket& socket_of(TlsStream& stream) {
  return stream.next_layer();
}

// Deadlines in net follow Asio's timers, which follow this clock.
inline Clock::Steady steady_now() {
  return SystemClock().now();
}

// What is still to be written: a head, then the pieces of a body. Reused from message to message; does not
// own.
class Outbox {
 public:
  void set(std::string_view head, const Body* body) {
    buffers_.clear();
    at_ = 0;
    buffers_.emplace_back(head.data(), head.size());
    if (!body) return;
    for (const std::string_view piece : body->pieces()) buffers_.emplace_back(piece.data(), piece.size());
  }
  bool empty() const noexcept { return at_ == buffers_.size(); }
  void consume(std::size_t written) noexcept {
    while (written > 0 && written >= buffers_[at_].size()) written -= buffers_[at_++].size();
    if (written > 0) buffers_[at_] += written;
  }

  // A buffer sequence for Asio: cheap to copy, where a vector would allocate.
  class Rest {
   public:
    using value_type = asio::const_buffer;
    using const_iterator = const asio::const_buffer*;
    Rest(const_iterator begin, const_iterator end) : begin_(begin), end_(end) {}
    const_iterator begin() const noexcept { return begin_; }
    const_iterator end() const noexcept { return end_; }

   private:
    const_iterator begin_, end_;
  };
  Rest rest() const noexcept { return {buffers_.data() + at_, buffers_.data() + buffers_.size()}; }

 private:
  std::vector<asio::const_buffer> buffers_;
  std::size_t at_ = 0;
};

}  // namespace embedrouter::net
