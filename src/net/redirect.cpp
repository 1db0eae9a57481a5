#include "net/redirect.h"

#include "base/ascii.h"

namespace embedrouter::net {
namespace {

constexpr std::size_t kLongestName = 255;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The authority of a Location; nothing if it names none, or none that can be shown.
std::string_view authority_of(std::string_view location) {
  const std::size_t slashes = location.find("//");
  if (slashes == std::string_view::npos || location.find_first_of("/?#") != slashes) return {};
  std::string_view authority = location.substr(slashes + 2);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const bool plain = std::ranges::all_of(authority, [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
  return plain && authority.size() <= kLongestName ? authority : std::string_view();
}

}  // namespace

std::optional<Error> redirect_fault(const ClientResponse& answer, const Url& origin) {
  if (!is_redirect(answer.status)) return std::nullopt;
  std::string_view host = authority_of(answer.headers.find("location").value_or(""));
  const std::string own = origin.authority();
  if (host.empty()) host = own;
  return Error(ErrorCode::upstream_redirected,
               "the upstream redirects (" + std::to_string(answer.status) + ") to " + std::string(host) +
                   ", where nothing is sent; the router's operator must mend the provider's base_url")
      .with_upstream_status(answer.status);
}

}  // namespace embedrouter::net
