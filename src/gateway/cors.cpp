#include "gateway/cors.h"

#include <algorithm>

namespace embedrouter::gateway {
namespace {

constexpr std::string_view kExposed =
    "X-Generation-Id, X-Embedrouter-Provider, X-Embedrouter-Space, X-Embedrouter-Truncated, "
    "X-Embedrouter-Failed, "
    "X-Embedrouter-Ignored, "
    "Retry-After";
constexpr std::string_view kMaxAge = "600";  // seconds a browser need not ask again

bool allows(const std::vector<std::string>& origins, std::string_view origin) {
  return std::ranges::any_of(origins,
                             [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

// A list of header names and nothing else, so that it may be sent back.
bool is_name_list(std::string_view text) {
  constexpr std::size_t kLongest = 2048;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  };
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, fits);
}

}  // namespace

void allow_origin(const std::vector<std::string>& origins, const net::RequestHead& head,
                  net::Response& response) {
  if (origins.empty()) return;
  const bool any = origins.front() == "*";
  if (!any) response.headers.push_back({"Vary", "Origin"});
  const auto origin = head.headers.find("origin");
  if (!origin || !allows(origins, *origin)) return;
  response.headers.push_back({"Access-Control-Allow-Origin", any ? "*" : std::string(*origin)});
  response.headers.push_back({"Access-Control-Expose-Headers", std::string(kExposed)});
}

net::Response answer_options(const std::vector<std::string>& origins, const net::RequestHead& head,
                             const std::string& allowed) {
  net::Response response;
  response.status = 204;
  const std::string methods = allowed + ", OPTIONS";
  response.headers.push_back({"Allow", methods});
  const auto origin = head.headers.find("origin");
  if (!origin || !head.headers.find("access-control-request-method") || !allows(origins, *origin))
    return response;
  response.headers.push_back({"Access-Control-Allow-Methods", methods});
  const std::string_view names = head.headers.find("access-control-request-headers").value_or("");
  if (is_name_list(names)) response.headers.push_back({"Access-Control-Allow-Headers", std::string(names)});
  response.headers.push_back({"Access-Control-Max-Age", std::string(kMaxAge)});
  return response;
}

}  // namespace embedrouter::gateway
