#pragma once
// The two seams of the SDK. A Transport makes one attempt; a Connection makes a call, of as many attempts as
// it takes. Both can be replaced: see <embedrouter/testing/mock_connection.h> and mock_transport.h.

#include <embedrouter/client_error.h>
#include <embedrouter/http.h>
#include <embedrouter/retry.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace embedrouter::sdk::inline v0 {

// Receives what became of an attempt or of a call: an HttpResponse of any status, or why there is none.
using ResponseHandler = std::function<void(Result<HttpResponse>)>;

// Thread-safe: many attempts at once, from any threads.
class Transport {
 public:
  virtual ~Transport() = default;
  // Makes one attempt and calls `done` exactly once, from any thread, perhaps before send() returns. When a
  // stop is requested, it ends soon with ErrorKind::cancelled.
  virtual void send(HttpRequest request, std::stop_token stop, ResponseHandler done) = 0;
  // The same, and waits for the end.
  virtual Result<HttpResponse> send_and_wait(HttpRequest request, std::stop_token stop);
};

// Paths are read when a connection is made; one that cannot be used is ErrorKind::untrusted.
struct TlsOptions {
  std::string ca_file{};      // PEM; empty: the system's authorities
  std::string client_cert{};  // PEM file
  std::string client_key{};   // PEM file
  bool verify = true;         // false: any server is trusted, and may read the key
};

// Of the shipped transport.
struct TransportOptions {
  std::size_t max_connections = 64;                       // to one server; further calls wait; 0 counts as 1
  std::size_t max_response_bytes = std::size_t{1} << 30;  // of a body, decompressed
  // "http://user:password@host:3128"; unset: by the environment (https_proxy, no_proxy, …); empty: none.
  std::optional<std::string> proxy{};
  TlsOptions tls{};
  bool accept_compressed = false;  // offer gzip: pays off for float vectors over slow networks
};

// The shipped transport: libcurl, one background thread, one pool of connections, HTTP/2 over TLS where the
// server has it. It is also the shipped Sleeper. The thread starts when there is something to do that nobody
// waits for, and ends with the last owner; attempts under way then end with ErrorKind::cancelled. A thread
// that waits for the only attempt there is does the thread's work itself. The destructor waits for the
// callback that is running and for those of what it ends, unless it runs inside one. A callback that throws
// ends the program.
class CurlTransport final : public Transport, public Sleeper {
 public:
  // Opens nothing.
  explicit CurlTransport(TransportOptions options = {});
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  void send(HttpRequest request, std::stop_token stop, ResponseHandler done) override;
  Result<HttpResponse> send_and_wait(HttpRequest request, std::stop_token stop) override;
  void sleep(std::chrono::milliseconds duration, std::stop_token stop, std::function<void()> done) override;

  // Since the start: attempts made, and connections opened for them.
  struct Counts {
    std::uint64_t attempts = 0;
    std::uint64_t connections = 0;
  };
  // Thread-safe.
  Counts counts() const noexcept;

 private:
  class Loop;
  std::shared_ptr<Loop> loop_;
};

// What may differ from call to call. Unset: as the client has it.
struct CallOptions {
  std::optional<RetryConfig> retries{};
  std::optional<std::string> server_url{};
  std::optional<std::chrono::milliseconds> timeout{};          // of each attempt; 0: none
  std::optional<std::chrono::milliseconds> connect_timeout{};  // until its connection stands; 0: none
  std::optional<std::string> http_referer{}, title{}, categories{};
  Headers headers{};       // added; one that the SDK sets is replaced, Authorization too
  std::stop_token stop{};  // requesting a stop cancels the call, waits between attempts included
};

// One operation of the API with its arguments.
struct ApiCall {
  std::string_view operation;               // "embeddings.generate"; a literal
  std::string_view method;                  // a literal
  std::string path;                         // behind the base URL: "/embeddings"
  std::string query;                        // without the '?'; may be empty
  std::string_view accept;                  // a literal
  std::shared_ptr<const std::string> body;  // JSON; null: none
  std::string bearer;                       // another key than the client's; empty: the client's
  CallOptions options;
};

// Makes calls. Thread-safe.
class Connection {
 public:
  virtual ~Connection() = default;
  // Calls `done` exactly once, from any thread, perhaps before start() returns, with the last answer (of any
  // status) or the last failure.
  virtual void start(ApiCall call, ResponseHandler done) = 0;
  // The same, and waits for the end.
  virtual Result<HttpResponse> run(ApiCall call);
};

}  // namespace embedrouter::sdk::inline v0
