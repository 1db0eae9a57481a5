#pragma once
// For the tests: plain blocking sockets that say and hear exact bytes. Every read gives up after kPatience,
// so that a broken server fails a test instead of hanging it.

#include <string>
#include <string_view>

namespace embedrouter::net::testing {

class RawSocket {
 public:
  RawSocket() = default;
  explicit RawSocket(int fd) : fd_(fd) {}
  RawSocket(RawSocket&& other) noexcept : fd_(other.fd_), pending_(std::move(other.pending_)) {
    other.fd_ = -1;
  }
  RawSocket& operator=(RawSocket&& other) noexcept;
  ~RawSocket();

  static RawSocket connect(unsigned short port);
  // A listening socket on a free port of 127.0.0.1.
  static RawSocket listen(int backlog = 16);
  RawSocket accept();
  unsigned short port() const;

  // False if the other side is gone.
  bool send(std::string_view bytes);
  // Up to and including `end`; what was read before the end of the stream if it never comes.
  std::string read_until(std::string_view end);
  std::string read_exactly(std::size_t n);
  // Everything until the end of the stream. `reset_`: it ended with a reset.
  std::string read_all();
  // A head and its Content-Length's worth of body.
  std::string read_message();
  // What has arrived is enough if it holds `text`.
  bool ended_by_reset() const { return reset_; }
  void shutdown_send();
  void reset();  // closes with RST
  void close();
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  bool fill();

  int fd_ = -1;
  std::string pending_;
  bool reset_ = false;
};

}  // namespace embedrouter::net::testing
