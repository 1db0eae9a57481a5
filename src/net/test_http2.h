#pragma once
// For the tests: the server's end of HTTP/2, frame by frame and without a library, so that it can say what no
// library would.

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/test_certificate.h"
#include "net/test_sockets.h"

namespace embedrouter::net::testing {

struct Frame {
  enum Type : std::uint8_t {
    data,
    headers,
    priority,
    rst_stream,
    settings,
    push,
    ping,
    goaway,
    window_update
  };
  std::uint8_t type = 0xFF;  // 0xFF: the connection has ended
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  bool ends_stream() const { return (type == data || type == headers) && (flags & 1) != 0; }
  bool ended() const { return type == 0xFF; }
};

std::string settings_frame(std::uint16_t id, std::uint32_t value);

// One accepted connection. Every read gives up like RawSocket's.
class Http2Peer {
 public:
  // Shakes hands. `speaks_http2`: takes "h2" of what is offered.
  Http2Peer(RawSocket& socket, SSL_CTX* context);
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;
  ~Http2Peer();

  bool chose_http2() const;
  // Reads the client's preface and says `settings`.
  void greet(const std::string& settings = "");
  void send(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
  Frame read();
  // The next request: reads until one is complete, and returns its stream; 0 at the end of the connection.
  std::uint32_t read_request();
  const std::string& body() const { return body_; }  // of the request read last
  void answer(std::uint32_t stream, std::string_view body = "ok");
  void goaway(std::uint32_t last_stream, std::uint32_t code = 0);
  void reset_stream(std::uint32_t stream, std::uint32_t code);
  // Until the client has closed.
  void drain();
  void write(std::string_view bytes);

 private:
  bool read_exactly(std::size_t size, std::string& out);

  SSL* ssl_;
  std::string body_;
};

// A server's TLS context that takes HTTP/2 if offered; with `authority`, one that asks for a client's
// certificate, too.
class Http2Context {
 public:
  explicit Http2Context(const TestCertificate& certificate, bool http2 = true,
                        const std::string& authority = "");
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  bool http2_;
};

}  // namespace embedrouter::net::testing
