#include "net/proxy.h"

#include <openssl/evp.h>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>

#include "net/client.h"
#include "net/field_text.h"

namespace embedrouter::net {
namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');  // and the NUL the library writes
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && same_ignoring_case(text.substr(text.size() - end.size()), end);
}

template <typename Network>
bool is_of(const Network& network, const Network& host) {
  return network.prefix_length() > 0 && network.canonical() == host.canonical();
}

bool network_covers(const std::string& network, std::string_view host) {
  boost::system::error_code none;
  const auto address = asio::ip::make_address(host, none);
  if (none) return false;
  if (address.is_v4()) {
    const auto wanted = asio::ip::make_network_v4(network, none);
    return !none && is_of(wanted, asio::ip::make_network_v4(address.to_v4(), wanted.prefix_length()));
  }
  const auto wanted = asio::ip::make_network_v6(network, none);
  return !none && is_of(wanted, asio::ip::make_network_v6(address.to_v6(), wanted.prefix_length()));
}

bool covers(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return network_covers(std::string(entry), host);
  // A colon before digits, if it is the only one or follows a bracket, begins a port.
  const std::size_t colon = entry.rfind(':');
  if (colon != std::string_view::npos &&
      (entry.find(':') == colon || (colon > 0 && entry[colon - 1] == ']'))) {
    if (entry.substr(colon + 1) != std::to_string(port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty()) return false;
  if (same_ignoring_case(entry, host)) return true;
  return host.size() > entry.size() && host[host.size() - entry.size() - 1] == '.' &&
         ends_with_ignoring_case(host, entry);
}

}  // namespace

Result<Proxy> Proxy::parse(std::string_view text) {
  Proxy proxy;
  std::string plain(text);
  const std::size_t scheme = plain.find("://");
  const std::size_t at = plain.rfind('@');
  if (scheme != std::string::npos && at != std::string::npos) {
    const auto user = percent_decoded(std::string_view(plain).substr(scheme + 3, at - scheme - 3));
    if (!user) return fail(ErrorCode::invalid_request, "the proxy's user or password is not percent-encoded");
    proxy.authorization = "Basic " + base64(*user);
    plain.erase(scheme + 3, at - scheme - 2);
  }
  auto url = Url::parse(plain);
  if (!url || url->tls || !url->path.empty()) {
    return fail(ErrorCode::invalid_request, "a proxy like http://host:port is expected");
  }
  proxy.host = std::move(url->host);
  proxy.port = url->port;
  return proxy;
}

bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port) {
  while (!no_proxy.empty()) {
    const std::size_t comma = no_proxy.find(',');
    std::string_view entry = no_proxy.substr(0, comma);
    no_proxy.remove_prefix(comma == std::string_view::npos ? no_proxy.size() : comma + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (covers(entry, host, port)) return true;
  }
  return false;
}

}  // namespace embedrouter::net
