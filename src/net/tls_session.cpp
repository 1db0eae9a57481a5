#include "net/tls_session.h"

namespace embedrouter::net {
namespace {

// Asio keeps a pointer of its own under index 0.
int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

void TlsSession::collect_from(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_ex_data(context, context_index(), this);
  SSL_CTX_sess_set_new_cb(context, on_session);
}

int TlsSession::on_session(SSL* connection, SSL_SESSION* session) {
  auto* self = static_cast<TlsSession*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), context_index()));
  self->session_.reset(session);
  return 1;  // the reference is ours now
}

bool TlsSession::offer_to(SSL* connection) const {
  if (!session_ || SSL_SESSION_is_resumable(session_.get()) != 1) return false;
  return SSL_set_session(connection, session_.get()) == 1;
}

}  // namespace embedrouter::net
