#pragma once
// A blocking byte stream over a socket, with or without TLS, that can also end rudely.

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace embedrouter::fake_upstream {

// Used by one thread. Owns the socket.
class Stream {
 public:
  // `tls` null: plain. Does the handshake; ok() tells whether that worked.
  Stream(int fd, SSL_CTX* tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool ok() const { return fd_ >= 0; }
  // Bytes read, 0 when the peer is done or gone.
  std::size_t read(char* to, std::size_t size);
  // False when the peer is gone.
  bool write(std::string_view bytes);
  // Waits; false as soon as the peer closes or resets.
  bool linger(std::chrono::milliseconds time) const;
  // The next thing the peer sees is RST.
  void reset();
  // The next thing the peer sees is FIN, and for TLS no close_notify.
  void close();

 private:
  int fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

}  // namespace embedrouter::fake_upstream
