#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace embedrouter::net {

// An HTTP proxy: TLS goes through it by CONNECT, plain HTTP by requests for absolute URLs.
struct Proxy {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string authorization;  // of Proxy-Authorization, "Basic …"; empty: none. Never logged.
  // http://[user:password@]host[:port]; user and password may be percent-encoded.
  static Result<Proxy> parse(std::string_view url);
};

// True if `host` is in a list as NO_PROXY holds it: names (and what ends in ".name"), addresses, "*",
// separated by commas; a port may follow a name. "10.0.0.0/8" and
// "fd00::/8" are the addresses of a network; a length of 0 is that of none, as for curl (7.86 and later).
bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port);

}  // namespace embedrouter::net
