#include "catalog/values.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

#include "base/json_text.h"

namespace embedrouter::catalog {
namespace {

constexpr std::size_t kMaxNameBytes = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_id_char(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '~' || c == '-';
}

// Whole decimal digits in front; what follows stays in `rest`.
std::optional<std::uint64_t> leading_number(std::string_view text, std::string_view& rest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint64_t> times(std::uint64_t number, std::uint64_t unit, std::uint64_t limit) {
  if (number > limit / unit) return std::nullopt;
  return number * unit;
}

template <std::size_t n>
std::optional<std::uint64_t> number_with_unit(std::string_view text,
                                              const std::pair<std::string_view, std::uint64_t> (&units)[n],
                                              std::uint64_t limit) {
  std::string_view unit;
  const auto number = leading_number(text, unit);
  if (!number) return std::nullopt;
  for (const auto& [name, size] : units) {
    if (unit == name) return times(*number, size, limit);
  }
  return std::nullopt;
}

// How many letters must be added, dropped, changed or swapped with a neighbour to get from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  const auto ms = number_with_unit(text, kUnits, std::numeric_limits<std::int32_t>::max());
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};
  return number_with_unit(text, kUnits, std::numeric_limits<std::int64_t>::max());
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}

bool is_alias(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::ranges::all_of(text, is_id_char);
  return slash > 0 && slash + 1 < text.size() && std::ranges::all_of(text.substr(0, slash), is_id_char) &&
         std::ranges::all_of(text.substr(slash + 1), is_id_char);
}

bool is_model_id(std::string_view text) {
  constexpr std::string_view kFree = ":free";
  if (text.ends_with(kFree)) text.remove_suffix(kFree.size());
  return is_alias(text) && text.find('/') != std::string_view::npos;
}

bool is_provider_slug(std::string_view text) {
  const auto is_part = [](std::string_view part) {
    const auto alphanumeric = [](char c) { return is_lower(c) || is_digit(c); };
    return !part.empty() && part.size() <= 64 && alphanumeric(part.front()) && alphanumeric(part.back()) &&
           std::ranges::all_of(part,
                               [&](char c) { return alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
  };
  const std::size_t slash = text.find('/');
  return is_part(text.substr(0, slash)) &&
         (slash == std::string_view::npos || is_part(text.substr(slash + 1)));
}

bool is_environment_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && !is_digit(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_display_text(std::string_view text, std::size_t limit) {
  return !text.empty() && text.size() <= limit && is_utf8(text) &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_header_token(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != '\\';
  });
}

std::optional<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    const auto in_ipv6 = [](char c) {
      return is_letter(c) || is_digit(c) || c == ':' || c == '.' || c == '%';
    };
    if (host.find(':') == std::string_view::npos || !std::ranges::all_of(host, in_ipv6)) return std::nullopt;
  } else if (host.empty() || host.size() > 253 || !std::ranges::all_of(host, [](char c) {
               return is_letter(c) || is_digit(c) || c == '.' || c == '-';
             })) {
    return std::nullopt;
  }
  std::string_view rest;
  const auto port = leading_number(text.substr(colon + 1), rest);
  if (!port || !rest.empty() || *port > 65'535) return std::nullopt;
  return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_loopback(const ListenAddress& address) {
  if (address.host == "::1" || lower_case(address.host) == "localhost") return true;
  // 127.0.0.0/8, and not a name such as 127.example.org.
  return address.host.starts_with("127.") && std::ranges::count(address.host, '.') == 3 &&
         std::ranges::all_of(address.host, [](char c) { return is_digit(c) || c == '.'; });
}

bool is_base_url(std::string_view text) {
  const std::string_view scheme = text.starts_with("https://") ? "https://" : "http://";
  if (!text.starts_with(scheme)) return false;
  const std::string_view rest = text.substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (!std::ranges::all_of(rest, [](char c) { return c > ' ' && c < 0x7f; })) return false;
  if (rest.find_first_of("?#\"\\<>") != std::string_view::npos ||
      authority.find('@') != std::string_view::npos)
    return false;
  if (parse_listen(authority)) return true;
  return parse_listen(std::string(authority) + ":0").has_value();
}

bool is_proxy_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  return is_base_url(text) && text.starts_with(kScheme) &&
         text.find('/', kScheme.size()) == std::string_view::npos;
}

bool is_origin(std::string_view text) {
  const bool secure = text.starts_with("https://");
  if (!is_base_url(text) || lower_case(text) != text) return false;
  const std::string_view authority = text.substr(text.find("//") + 2);
  return authority.find('/') == std::string_view::npos && !authority.ends_with(secure ? ":443" : ":80");
}

std::optional<std::filesystem::path> expand_home(std::string_view text, std::string_view home) {
  if (text != "~" && !text.starts_with("~/")) return std::filesystem::path(text);
  if (home.empty()) return std::nullopt;
  return std::filesystem::path(std::string(home) + std::string(text.substr(1)));
}

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known) {
  if (text.size() > 64) return {};
  const std::string lower = lower_case(text);
  std::string_view best;
  std::size_t best_distance =
      std::min<std::size_t>(3, text.size() / 2 + 1);  // from here on it is another word
  for (const std::string_view name : known) {
    const std::size_t distance = edit_distance(lower, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace embedrouter::catalog
