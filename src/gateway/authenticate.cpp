#include <algorithm>
#include <array>

#include "gateway/gateway.h"
#include "gateway/trace.h"
#include "net/field_text.h"

namespace embedrouter::gateway {
namespace {

// The port is left out where it is the scheme's own, or said all the same.
std::string_view without_port(std::string_view host, std::string_view port) {
  if (host.ends_with(port)) host.remove_suffix(port.size());
  return host;
}

// Without keys, only the address itself may be meant: a page in a browser that reaches loopback by a name of
// its own (DNS rebinding) shows by its Host or by an Origin.
bool is_own_host(std::string_view host, std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const std::string_view port = authority.substr(std::min(colon, authority.size()));
  const bool default_port = port == ":80" || port == ":443";
  if (!default_port && !host.ends_with(port)) return false;
  const std::string_view name = without_port(host, port);
  if (name == without_port(authority, port)) return true;
  constexpr std::array<std::string_view, 3> kLoopback{"localhost", "127.0.0.1", "[::1]"};
  return std::ranges::any_of(kLoopback,
                             [&](std::string_view own) { return net::same_ignoring_case(name, own); });
}

}  // namespace

std::string_view bearer_key(const net::Headers& headers) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view value = headers.find("authorization").value_or("");
  if (value.size() <= kScheme.size() || !net::same_ignoring_case(value.substr(0, kScheme.size()), kScheme))
    return {};
  value.remove_prefix(kScheme.size());
  const std::size_t first = value.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : value.substr(first);
}

// With auth = "none", whoever is not a program of this machine stays out.
Result<void> Gateway::check_door(const net::RequestHead& head) const {
  if (shared_.keys != nullptr) return {};
  if (!head.headers.find("origin") && is_own_host(head.headers.find("host").value_or(""), shared_.authority))
    return {};
  return fail(
      ErrorCode::permission_denied,
      "this router runs without keys and answers only local programs: the Host must be its own address "
      "and there must be no Origin. Set auth = \"required\" to serve others");
}

// In the order of CONTRACT 2.5: size by Content-Length, then the key, before any byte of the body is read.
Result<void> Gateway::admit(const net::RequestHead& head, Access access, Trace& trace) const {
  if (head.content_length && *head.content_length > shared_.limits.body_bytes) {
    return fail(ErrorCode::payload_too_large, "the body has " + std::to_string(*head.content_length) +
                                                  " bytes; at most " +
                                                  std::to_string(shared_.limits.body_bytes) +
                                                  " are taken. Send fewer inputs in one request");
  }
  if (shared_.keys == nullptr) return {};
  const std::string_view key = bearer_key(head.headers);
  if (!key.empty()) trace.key = shared_.keys->find(key);
  if (trace.key != nullptr) trace.key_label = trace.key->label;
  if (access == Access::open) return {};
  if (key.empty()) {
    return fail(ErrorCode::unauthorized,
                "Missing Authentication header: send Authorization: Bearer <key>; `embedrouter keys create` "
                "makes one");
  }
  if (trace.key == nullptr) return fail(ErrorCode::unauthorized, "the key is unknown, disabled or revoked");
  if (trace.key->management && access == Access::inference_key) {
    return fail(ErrorCode::permission_denied,
                "a management key cannot embed; make another without --management");
  }
  return {};
}

}  // namespace embedrouter::gateway
