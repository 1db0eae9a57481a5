#pragma once
#include <embedrouter/result.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/body.h"
#include "base/buffer.h"
#include "base/task.h"
#include "net/lookup.h"
#include "net/message.h"
#include "net/proxy.h"

namespace embedrouter::net {

// scheme://host[:port][/prefix]
struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string path;  // "/v1", no trailing slash; may be empty
  static Result<Url> parse(std::string_view text);
  std::string authority() const;  // for the Host header
};

struct ClientDeadlines {
  std::chrono::milliseconds connect{5'000};  // resolving, connecting, proxy, TLS
  // From the last byte sent, or the last interim answer (1xx), to the first byte of the answer.
  std::chrono::milliseconds first_byte{30'000};
  std::chrono::milliseconds idle{15'000};  // between bytes of the answer
};

struct ClientLimits {
  std::size_t header_bytes = 64 * 1024;
  // Of an answer, its content coding taken off: 2,048 vectors of 4,096 numbers of 22 digits fit.
  std::size_t body_bytes = 256u << 20;
  std::size_t idle_connections = 64;               // kept per origin, of each protocol
  std::chrono::milliseconds idle_timeout{30'000};  // a connection unused for longer is not reused
  // A connection older than this is not reused: where a name points is looked up again now and then.
  std::chrono::milliseconds age{300'000};
  // For so long the last good addresses serve while the name cannot be looked up.
  std::chrono::milliseconds stale_addresses{600'000};
};

// Takes the body of an answer as it arrives, so that it need not fit into memory. Used from the client's
// thread.
class BodySink {
 public:
  // The head of the answer is there. False: its body is kept in memory, as without a sink.
  virtual bool wants(int status, const Headers& headers) = 0;
  // The next bytes of the body, its content coding taken off; ClientLimits::body_bytes does not bound them. A
  // failure ends the exchange, and is its result.
  virtual Result<void> take(std::string_view bytes) = 0;

 protected:
  ~BodySink() = default;
};

struct ClientRequest {
  std::string_view method = "POST";
  std::string target;                // path and query
  std::vector<OwnedHeader> headers;  // Host and Content-Length are net's own
  Body body;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();  // total
  BodySink* sink = nullptr;  // outlives the task of send(); null: none
};

struct ClientResponse {
  int status = 0;
  Headers headers;  // views into `head`
  std::shared_ptr<const Buffer> head;
  std::shared_ptr<const Buffer> body;  // never null; empty where a sink took it
};

struct ClientTls {
  std::string ca_file = {};                   // PEM; empty: the system's
  std::string cert_file = {}, key_file = {};  // PEM: what the client shows of itself; both or neither
};

struct ClientOptions {
  ClientDeadlines deadlines;
  ClientLimits limits;
  ClientTls tls;
  std::optional<Proxy> proxy;
  bool http2 = true;            // offered by ALPN where there is TLS; the upstream chooses
  bool compression = false;     // asked for; an answer that is compressed unasked is read all the same
  bool show_redirects = false;  // a redirect is an answer like any other; nothing follows it either way
  Lookup lookup = system_lookup;
};

// HTTP to one origin over pooled connections: HTTP/1.1 with one request at a time on each, HTTP/2 with as
// many as the upstream allows. One per I/O thread and origin; used from that thread only, and destroyed
// before its io_context, when no send() is under way.
//
// A request is sent once more on a fresh connection when a reused one dies before the first byte of an
// answer, and a few times when the upstream says that it has not processed it (HTTP/2: GOAWAY,
// REFUSED_STREAM).
//
// Failures: upstream_unreachable (with a detail that says which step), upstream_untrusted (TLS identity),
// upstream_redirected (which host), upstream_timeout (which deadline), upstream_invalid_answer (not HTTP, too
// large, not the coding it says), upstream_rate_limited and upstream_overloaded (HTTP/2 said so), internal (a
// target or header that cannot be sent). Cancelling the task closes the connection or stream at once and ends
// it with client_closed.
class Client {
 public:
  static Result<std::unique_ptr<Client>> make(asio::io_context& io, Url origin, const ClientOptions& options);
  virtual ~Client() = default;
  // Any status is a value: what it means is the caller's business. But redirects are failures, unless they
  // are asked for: they would take keys and texts elsewhere.
  virtual Task<Result<ClientResponse>> send(ClientRequest request) = 0;
  virtual std::size_t idle_connections() const = 0;
};

}  // namespace embedrouter::net
