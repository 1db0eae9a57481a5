#include "fake_upstream/http.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace embedrouter::fake_upstream {
namespace {

constexpr std::size_t kMaxHead = 256 * 1024;
constexpr std::size_t kMaxBody = 256 << 20;

bool parse_head(std::string_view head, HttpRequest& request) {
  const std::size_t line = head.find("\r\n");
  const std::string_view first = head.substr(0, line);
  const std::size_t a = first.find(' ');
  const std::size_t b = first.rfind(' ');
  if (a == std::string_view::npos || a == b) return false;
  request.method = first.substr(0, a);
  request.target = first.substr(a + 1, b - a - 1);
  head.remove_prefix(line + 2);
  while (!head.empty()) {
    const std::string_view field = head.substr(0, head.find("\r\n"));
    head.remove_prefix(field.size() + 2);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    std::string name(field.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view value = field.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    request.headers.emplace_back(std::move(name), value);
  }
  return true;
}

}  // namespace

std::optional<HttpRequest> Reader::next() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kMaxHead || !more()) return std::nullopt;
  }
  HttpRequest request;
  if (!parse_head(std::string_view(buffer_).substr(0, end + 2), request)) return std::nullopt;
  buffer_.erase(0, end + 4);
  if (request.header("expect") == "100-continue") stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
  if (request.header("transfer-encoding") == "chunked") {
    if (!read_chunks(request.body)) return std::nullopt;
  } else if (const std::string_view length = request.header("content-length"); !length.empty()) {
    std::size_t size = 0;
    std::from_chars(length.data(), length.data() + length.size(), size);
    if (!take(size, request.body)) return std::nullopt;
  }
  return request;
}

bool Reader::more() {
  char bytes[65'536];
  const std::size_t size = stream_.read(bytes, sizeof bytes);
  buffer_.append(bytes, size);
  return size > 0;
}

bool Reader::take(std::size_t size, std::string& to) {
  if (size > kMaxBody || to.size() > kMaxBody) return false;
  while (buffer_.size() < size) {
    if (!more()) return false;
  }
  to.append(buffer_, 0, size);
  buffer_.erase(0, size);
  return true;
}

bool Reader::read_chunks(std::string& body) {
  while (true) {
    std::size_t line = 0;
    while ((line = buffer_.find("\r\n")) == std::string::npos) {
      if (!more()) return false;
    }
    std::size_t size = 0;
    if (std::from_chars(buffer_.data(), buffer_.data() + line, size, 16).ec != std::errc{}) return false;
    buffer_.erase(0, line + 2);
    std::string ending;
    if (!take(size, body) || !take(2, ending)) return false;
    if (size == 0) return true;
  }
}

}  // namespace embedrouter::fake_upstream
