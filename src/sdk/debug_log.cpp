#include "sdk/debug_log.h"

#include <array>

#include "base/ascii.h"

namespace embedrouter::sdk {
namespace {

constexpr std::string_view kRedacted = "[redacted]";
// What is shorter is no secret, and may be a word of any answer.
constexpr std::size_t kLeastSecret = 8;

bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kSecret{"authorization", "proxy-authorization", "cookie",
                                                           "set-cookie", "x-api-key"};
  for (const std::string_view secret : kSecret) {
    if (same_ignoring_case(name, secret)) return true;
  }
  return false;
}

void append_headers(std::string& out, const Headers& headers) {
  out += " Headers: {";
  const char* separator = "";
  for (const auto& [name, value] : headers) {
    out += separator;
    out += name;
    out += ": ";
    out += is_secret(name) ? kRedacted : std::string_view(value);
    separator = ", ";
  }
  out += '}';
}

}  // namespace

void redact(std::string& text, std::string_view secret) {
  if (secret.size() < kLeastSecret) return;
  std::size_t at = text.find(secret);
  if (at == std::string::npos) return;
  std::string out;
  std::size_t from = 0;
  for (; at != std::string::npos; at = text.find(secret, from)) {
    out.append(text, from, at - from).append(kRedacted);
    from = at + secret.size();
  }
  text = out.append(text, from);
}

std::string request_line(const HttpRequest& request, std::string_view body, std::string_view secret) {
  std::string out = "Request: " + request.method + ' ' + request.url;
  append_headers(out, request.headers);
  out += " Body: ";
  out += body;
  redact(out, secret);
  return out;
}

std::string response_line(const HttpResponse& response, std::string_view body, std::string_view secret) {
  std::string out = "Response: " + std::to_string(response.status) + ' ' + response.url;
  append_headers(out, response.headers);
  out += " Body: ";
  out += body;
  redact(out, secret);
  return out;
}

}  // namespace embedrouter::sdk
