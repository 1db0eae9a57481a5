#pragma once
// HTTP/1.1, a thread per connection. A POST on a path that ends as a dialect says is an attempt; GET
// /attempts
// (?model=…) lists them, DELETE /attempts forgets them; PUT, GET and DELETE /behaviour change what is done
// (behaviour.h); GET /healthz answers 200.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace embedrouter::fake_upstream {

// What becomes of a connection before its first request.
enum class Handshake : std::uint8_t {
  normal,
  stall,  // accepted, and then nothing: no TLS handshake, no reading
  reset,  // accepted and reset
};

struct Options {
  std::uint16_t port = 0;                   // on 127.0.0.1; 0: a free one
  std::size_t width = 64;                   // of vectors whose model name has no -d<width>
  std::string log_file;                     // of ended attempts, JSON lines; empty: none
  std::string tls_cert_file, tls_key_file;  // PEM; both empty: plain HTTP
  std::uint64_t seed = 0;                   // of what happens in so many of a hundred requests
  Handshake handshake = Handshake::normal;
};

struct Shared;  // what connections use; lives as long as the last of them

class Server {
 public:
  // Throws std::runtime_error where it cannot listen or read the certificate.
  explicit Server(const Options& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }
  // Accepts until stop().
  void run();
  // Thread-safe. Open connections end with their peers or the process.
  void stop() const;

 private:
  void take(int fd) const;

  std::shared_ptr<Shared> shared_;
  Handshake handshake_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace embedrouter::fake_upstream
