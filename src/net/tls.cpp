#include "net/tls.h"

#include <openssl/ssl.h>

#include <array>
#include <string>

namespace embedrouter::net {
namespace {

using Context = asio::ssl::context;

constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11.data(), kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::unique_ptr<Context> make_context(Context::method method) {
  auto context = std::make_unique<Context>(method);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Idle connections give their record buffers back.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

tl::unexpected<Error> cannot(const std::string& what, const boost::system::error_code& error) {
  return fail(ErrorCode::internal, "cannot " + what + ": " + error.message());
}

}  // namespace

Result<std::unique_ptr<Context>> make_server_context(const ServerTls& tls) {
  if (tls.cert_file.empty() || tls.key_file.empty()) {
    return fail(ErrorCode::internal, "TLS needs both cert_file and key_file");
  }
  auto context = make_context(Context::tls_server);
  boost::system::error_code error;
  context->use_certificate_chain_file(tls.cert_file, error);
  if (error) return cannot("use the TLS certificate " + tls.cert_file + " (a PEM chain is expected)", error);
  context->use_private_key_file(tls.key_file, Context::pem, error);
  if (error)
    return cannot("use the TLS key " + tls.key_file + " (the PEM key of the certificate is expected)", error);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_protocol, nullptr);
  return context;
}

Result<std::unique_ptr<Context>> make_client_context(const ClientTls& tls) {
  auto context = make_context(Context::tls_client);
  boost::system::error_code error;
  if (tls.ca_file.empty()) {
    context->set_default_verify_paths(error);
    if (error) return cannot("read the system's certificate authorities", error);
  } else {
    context->load_verify_file(tls.ca_file, error);
    if (error)
      return cannot("use the certificate authorities in " + tls.ca_file + " (PEM is expected)", error);
  }
  context->set_verify_mode(asio::ssl::verify_peer);
  SSL_CTX_set_alpn_protos(context->native_handle(), kHttp11.data(), kHttp11.size());
  return context;
}

}  // namespace embedrouter::net
