#pragma once
#include <embedrouter/result.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/task.h"
#include "net/message.h"

namespace embedrouter::net {

// One request and its answer, whatever HTTP version or transport carries it. Used from its connection's
// thread only.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const RequestHead& head() const = 0;
  // The address of the peer, for logs: "127.0.0.1".
  virtual std::string_view peer() const = 0;
  // Reads the whole body, its content coding taken off; answers `Expect: 100-continue` first. At most once.
  // payload_too_large as soon as Content-Length or the bytes, coded or not, pass `limit`; request_timeout;
  // client_closed; invalid_request for broken framing or coding; unsupported_coding.
  virtual Task<Result<Buffer>> read_body(std::size_t limit) = 0;
  // From now on, while the handler works, `102 Processing` is sent after each `every` without an answer.
  virtual void keep_informed(std::chrono::milliseconds every) = 0;
};

// Answers a request. One object per I/O thread. While handle() runs, net watches the connection: if the
// client leaves (closing its sending side counts as leaving), the coroutine is cancelled and its answer is
// dropped. Cancelling ends its pending asio operation with operation_aborted, and the next co_await of a Task
// throws boost::system::system_error, so that nothing more is begun; net catches it. Whatever else handle()
// throws is answered by refuse(internal).
class Handler {
 public:
  virtual ~Handler() = default;
  // `exchange` outlives the task.
  virtual Task<Response> handle(Exchange& exchange) = 0;
  // The answer to what never became a request (broken framing, headers too large, timeouts), and `internal`
  // for a handle() that threw. Never throws.
  virtual Response refuse(const Error& error) = 0;
};

struct ServerLimits {
  std::size_t header_bytes = 64 * 1024;
  std::chrono::milliseconds idle_timeout{75'000};  // between requests, and between bytes of one
  std::chrono::milliseconds header_timeout{
      30'000};  // from the first byte of a request to the end of its headers
  std::chrono::milliseconds body_timeout{120'000};   // from the headers to the end of the body
  std::chrono::milliseconds write_timeout{120'000};  // for a client that does not read
  std::size_t connections = 16'384;                  // over all threads; one more is closed at accept
};

struct ServerTls {
  std::string cert_file, key_file;  // PEM; both empty: plain HTTP
};

// Listens, accepts, frames. run() on each I/O thread's io_context. A connection goes to the thread with the
// fewest and stays there; the first thread to serve() also accepts. Destroyed when the io_contexts have
// stopped, before they are destroyed.
class Server {
 public:
  // `address`: "127.0.0.1:8080", "[::1]:0", "0.0.0.0:80". Port 0 takes a free one. Fails with a message that
  // says what to do (port taken, no such address, no permission, certificate unreadable).
  static Result<std::unique_ptr<Server>> listen(const std::string& address, const ServerLimits& limits,
                                                const ServerTls& tls);
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;
  // Begins to accept on `io` with `handler`; call once per I/O thread, before its io.run(). Both must outlive
  // the server's connections.
  virtual void serve(asio::io_context& io, Handler& handler) = 0;
  // Connections accepted from now on have these limits and this certificate; those that are open keep theirs.
  // Whether TLS is spoken stays as listen() was told; where it is not, `tls` is ignored. Thread-safe. Fails
  // as listen() does for a certificate that cannot be used, and then nothing has changed.
  virtual Result<void> reconfigure(const ServerLimits& limits, const ServerTls& tls) = 0;
  // Stops accepting, lets requests under way finish (they answer with Connection: close), closes idle
  // connections, and when none is left or `grace` is over, closes the rest. Thread-safe; returns at once;
  // drained() tells when all are gone.
  virtual void drain(std::chrono::milliseconds grace) = 0;
  virtual bool drained() const = 0;
  virtual std::size_t connections() const = 0;
};

}  // namespace embedrouter::net
