#include <charconv>

#include "net/client.h"
#include "net/field_text.h"

namespace embedrouter::net {
namespace {

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_request,
                "a URL like https://host:port/path is expected: " + std::string(why));
  };
  Url url;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return bad("the scheme is missing");
  if (same_ignoring_case(text.substr(0, scheme), "https")) {
    url.tls = true;
  } else if (!same_ignoring_case(text.substr(0, scheme), "http")) {
    return bad("the scheme must be http or https");
  }
  if (!printable(text)) return bad("it holds blanks, control or non-ASCII characters");
  std::string_view rest = text.substr(scheme + 3);
  if (rest.find_first_of("?#") != std::string_view::npos) return bad("it may not hold a query or a fragment");
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  if (authority.find('@') != std::string_view::npos) return bad("it may not hold a user name or password");

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad("the bracket around the address is not closed");
    url.host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  if (url.host.empty()) return bad("the host is missing");
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    if (port.front() != ':') return bad("only a port may follow the bracket");
    port.remove_prefix(1);
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || url.port == 0) {
      return bad("the port must be a number from 1 to 65535");
    }
  }
  return url;
}

std::string Url::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

}  // namespace embedrouter::net
