#include <algorithm>
#include <limits>

#include "catalog/catalog.h"

namespace embedrouter::catalog {
namespace {

constexpr std::size_t kDecimals = 12;
constexpr std::int64_t kPicoPerUsd = 1'000'000'000'000;

}  // namespace

std::optional<std::int64_t> parse_price(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = point == std::string_view::npos ? "0" : text.substr(point + 1);
  if (whole.empty() || decimals.empty() || decimals.size() > kDecimals) return std::nullopt;

  std::string digits(whole);
  digits += decimals;
  digits.append(kDecimals - decimals.size(), '0');
  std::int64_t pico = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    if (pico > (std::numeric_limits<std::int64_t>::max() - (c - '0')) / 10) return std::nullopt;
    pico = pico * 10 + (c - '0');
  }
  return pico;
}

std::string format_pico_usd(std::int64_t pico) {
  // Unsigned, so that the most negative number has a magnitude too.
  const auto magnitude = pico < 0 ? 0 - static_cast<std::uint64_t>(pico) : static_cast<std::uint64_t>(pico);
  std::string text = pico < 0 ? "-" : "";
  text += std::to_string(magnitude / kPicoPerUsd);
  std::string decimals = std::to_string(magnitude % kPicoPerUsd);
  decimals.insert(0, kDecimals - decimals.size(), '0');
  decimals.erase(decimals.find_last_not_of('0') + 1);
  if (!decimals.empty()) text += '.' + decimals;
  return text;
}

}  // namespace embedrouter::catalog
