#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <string>

namespace embedrouter::net {
namespace {

using Context = asio::ssl::context;

constexpr std::array<unsigned char, 12> kHttp2AndHttp11{2,   'h', '2', 8,   'h', 't',
                                                        't', 'p', '/', '1', '.', '1'};
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

Result<void> use_certificate(Context& context, const std::string& cert_file, const std::string& key_file) {
  boost::system::error_code error;
  // A key under a password fails to load: the library would ask the terminal for it.
  SSL_CTX_set_default_passwd_cb(context.native_handle(), [](char*, int, int, void*) { return -1; });
  context.use_certificate_chain_file(cert_file, error);
  if (error) return cannot("use the TLS certificate " + cert_file + " (a PEM chain is expected)", error);
  context.use_private_key_file(key_file, Context::pem, error);
  if (error)
    return cannot("use the TLS key " + key_file + " (the PEM key of the certificate is expected)", error);
  return {};
}

}  // namespace

Result<std::unique_ptr<Context>> make_server_context(const ServerTls& tls) {
  if (tls.cert_file.empty() || tls.key_file.empty()) {
    return fail(ErrorCode::internal, "TLS needs both cert_file and key_file");
  }
  auto context = make_context(Context::tls_server);
  if (auto used = use_certificate(*context, tls.cert_file, tls.key_file); !used)
    return fail(std::move(used).error());
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
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    return fail(ErrorCode::internal, "a client certificate needs both client_cert_file and client_key_file");
  }
  if (!tls.cert_file.empty()) {
    if (auto used = use_certificate(*context, tls.cert_file, tls.key_file); !used)
      return fail(std::move(used).error());
  }
  return context;
}

bool expect_identity(SSL* connection, const std::string& host) {
  boost::system::error_code not_numeric;
  const asio::ip::address address = asio::ip::make_address(host, not_numeric);
  if (not_numeric) {
    return SSL_set_tlsext_host_name(connection, host.c_str()) == 1 &&
           SSL_set1_host(connection, host.c_str()) == 1;
  }
  X509_VERIFY_PARAM* wanted = SSL_get0_param(connection);
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return X509_VERIFY_PARAM_set1_ip(wanted, bytes.data(), bytes.size()) == 1;
  }
  const auto bytes = address.to_v6().to_bytes();
  return X509_VERIFY_PARAM_set1_ip(wanted, bytes.data(), bytes.size()) == 1;
}

void offer_protocols(SSL* connection, bool http2) {
  if (http2) {
    SSL_set_alpn_protos(connection, kHttp2AndHttp11.data(), kHttp2AndHttp11.size());
  } else {
    SSL_set_alpn_protos(connection, kHttp11.data(), kHttp11.size());
  }
}

bool chose_http2(const SSL* connection) {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(connection, &chosen, &size);
  return size == 2 && chosen[0] == 'h' && chosen[1] == '2';
}

bool refuses_our_identity(const boost::system::error_code& error) {
  if (error.category() != asio::error::get_ssl_category()) return false;
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return true;
    default:
      return false;
  }
}

Error client_certificate_refused(std::string detail) {
  return Error(ErrorCode::upstream_untrusted,
               "the upstream wants another client certificate; the router's operator must mend that")
      .with_detail(std::move(detail));
}

}  // namespace embedrouter::net
