#pragma once
// HTTP/1.1 as a server reads it: no more than tests and gateways need.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_upstream/stream.h"

namespace embedrouter::fake_upstream {

struct HttpRequest {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

// Reads requests off a stream. What was read too far stays for the next one.
class Reader {
 public:
  explicit Reader(Stream& stream) : stream_(stream) {}

  // Nothing at the end of the stream, and for what is not HTTP.
  std::optional<HttpRequest> next();

 private:
  bool more();
  bool take(std::size_t size, std::string& to);
  bool read_chunks(std::string& body);

  Stream& stream_;
  std::string buffer_;
};

}  // namespace embedrouter::fake_upstream
