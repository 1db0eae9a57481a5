#pragma once
#include <openssl/ssl.h>

#include <memory>

namespace embedrouter::net {

// The last session an origin offered, so that the next handshake is short. One thread.
class TlsSession {
 public:
  // Collects the sessions of all connections of `context`. This must outlive the connections.
  void collect_from(SSL_CTX* context);
  // False if there is none.
  bool offer_to(SSL* connection) const;
  bool known() const noexcept { return session_ != nullptr; }
  void forget() noexcept { session_.reset(); }

 private:
  static int on_session(SSL* connection, SSL_SESSION* session);

  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_{nullptr, &SSL_SESSION_free};
};

}  // namespace embedrouter::net
