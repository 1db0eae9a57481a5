#pragma once
#include <embedrouter/result.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "net/client.h"
#include "net/server.h"

namespace embedrouter::net {

// TLS 1.2 and later, HTTP/1.1 by ALPN. The failure names the file and what is wrong with it.
Result<std::unique_ptr<asio::ssl::context>> make_server_context(const ServerTls& tls);
// Verifies the peer against `tls.ca_file`, or the system's authorities.
Result<std::unique_ptr<asio::ssl::context>> make_client_context(const ClientTls& tls);

}  // namespace embedrouter::net
