#pragma once
#include <memory>
#include <optional>
#include <string>

#include "net/addresses.h"
#include "net/client.h"
#include "net/stream.h"
#include "net/tls_session.h"

namespace embedrouter::net {

// What the connections of one client share. Lives as long as the last of them.
struct Origin {
  Origin(asio::io_context& context, Url where, const ClientOptions& options)
      : io(context),
        url(std::move(where)),
        deadlines(options.deadlines),
        limits(options.limits),
        proxy(options.proxy),
        http2(options.http2 && url.tls),
        show_redirects(options.show_redirects),
        addresses(io, proxy ? proxy->host : url.host, proxy ? proxy->port : url.port, options.lookup,
                  options.limits.stale_addresses) {}

  asio::io_context& io;
  Url url;
  ClientDeadlines deadlines;
  ClientLimits limits;
  std::optional<Proxy> proxy;
  bool http2;                               // may be spoken
  bool show_redirects;                      // as answers
  std::unique_ptr<asio::ssl::context> tls;  // null: plain HTTP
  TlsSession session;
  Addresses addresses;        // of the proxy, if there is one
  std::string target_prefix;  // a proxy of plain HTTP is asked for absolute URLs
  std::string fixed_head;     // the header lines every HTTP/1.1 request has
  std::string accept_encoding;
};

}  // namespace embedrouter::net
