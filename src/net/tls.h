#pragma once
#include <embedrouter/result.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "net/client.h"
#include "net/server.h"

namespace embedrouter::net {

// TLS 1.2 and later, HTTP/1.1 by ALPN. The failure names the file and what is wrong with it.
Result<std::unique_ptr<asio::ssl::context>> make_server_context(const ServerTls& tls);
// Verifies the peer against `tls.ca_file`, or the system's authorities, and shows `tls.cert_file` if asked.
Result<std::unique_ptr<asio::ssl::context>> make_client_context(const ClientTls& tls);

// Of one connection of a client, before and after its handshake.

// The peer must prove to be `host`, a name or an address (whose zone no certificate knows); a name is sent
// too (SNI). False: it cannot be asked to, so that nothing may be sent to it.
[[nodiscard]] bool expect_identity(SSL* connection, const std::string& host);
void offer_protocols(SSL* connection, bool http2);
bool chose_http2(const SSL* connection);
// The alert that the upstream wants a client certificate, or another one. TLS 1.3 sends it after the
// handshake, so that a read meets it.
bool refuses_our_identity(const boost::system::error_code& error);
Error client_certificate_refused(std::string detail);

}  // namespace embedrouter::net
