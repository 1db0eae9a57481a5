#pragma once
// One JSON number: its grammar, and its value as float32 or as an integer. Shared by everything here that
// reads numbers.

#include <fast_float/fast_float.h>
#include <bit>
#include <cfloat>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

namespace embedrouter::api {

// mantissa × 10^exponent, exact unless `long_mantissa`: then more than 19 significant digits were there, and
// only `text` knows them all.
struct Decimal {
  std::string_view text;
  std::uint64_t mantissa = 0;
  std::int32_t exponent = 0;
  bool negative = false;
  bool long_mantissa = false;
};

namespace detail {

inline bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') < 10;
}

// Eight digits at once; false if one of the eight bytes is not a digit.
inline bool read_eight_digits(const char* at, std::uint64_t& mantissa) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  if ((((word + 0x4646464646464646) | (word - 0x3030303030303030)) & 0x8080808080808080) != 0) return false;
  word -= 0x3030303030303030;
  word = word * 10 + (word >> 8);
  word = ((word & 0x000000FF000000FF) * 0x000F424000000064 +
          ((word >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
         32;
  mantissa = mantissa * 100'000'000 + static_cast<std::uint32_t>(word);
  return true;
}

inline void read_digits(const char*& at, const char* end, std::uint64_t& mantissa) noexcept {
  while (end - at >= 8 && read_eight_digits(at, mantissa)) at += 8;
  for (; at != end && is_digit(*at); ++at) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
}

// Exponents beyond this are zero or infinite whatever the digits before them: a body is at most some 2^30
// bytes long.
constexpr std::int32_t kExponentLimit = 1 << 30;

inline bool read_exponent(const char*& at, const char* end, std::int32_t& exponent) noexcept {
  const bool negative = at != end && *at == '-';
  if (at != end && (*at == '-' || *at == '+')) ++at;
  if (at == end || !is_digit(*at)) return false;
  std::int32_t value = 0;
  for (; at != end && is_digit(*at); ++at) {
    if (value < kExponentLimit / 16) value = value * 10 + (*at - '0');
  }
  exponent += negative ? -value : value;
  return true;
}

}  // namespace detail

static_assert(std::endian::native == std::endian::little, "eight digits are read as one little-endian word");

// Reads the longest number at `at` and moves `at` behind it. On false, `at` is where the grammar was broken.
inline bool read_decimal(const char*& at, const char* end, Decimal& out) noexcept {
  const char* const begin = at;
  out = {};
  if (at != end && *at == '-') out.negative = true, ++at;
  const char* const digits = at;
  if (at == end || !detail::is_digit(*at)) return false;
  if (*at == '0') {
    ++at;
  } else {
    detail::read_digits(at, end, out.mantissa);
  }
  std::ptrdiff_t count = at - digits;
  if (at != end && *at == '.') {
    const char* const fraction = ++at;
    detail::read_digits(at, end, out.mantissa);
    if (at == fraction) return false;
    count += at - fraction;
    out.exponent = static_cast<std::int32_t>(fraction - at);
  }
  if (count > 19) {
    // Zeros in front are not significant.
    const char* first = digits;
    while (first != at && (*first == '0' || *first == '.')) {
      if (*first == '0') --count;
      ++first;
    }
    out.long_mantissa = count > 19;
  }
  if (at != end && (*at | 0x20) == 'e') {
    ++at;
    if (!detail::read_exponent(at, end, out.exponent)) return false;
  }
  out.text = {begin, static_cast<std::size_t>(at - begin)};
  return true;
}

// Correctly rounded; infinite if the value is too large for float32.
inline float to_float(const Decimal& decimal) noexcept {
  constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (!decimal.long_mantissa && decimal.exponent >= -22 && decimal.exponent <= 22) {
    if (decimal.mantissa == 0) return decimal.negative ? -0.0F : 0.0F;
    double value = static_cast<double>(decimal.mantissa);
    value = decimal.exponent < 0 ? value / kPowers[-decimal.exponent] : value * kPowers[decimal.exponent];
    // Two roundings so far, under 2 units in the last place together. They cannot change the float32 unless
    // they end next to the middle of two neighbours.
    constexpr std::int64_t kMiddle = 1 << 28;
    const std::int64_t below = std::bit_cast<std::int64_t>(value) & ((1 << 29) - 1);
    if (value >= FLT_MIN && value < FLT_MAX && (below < kMiddle - 4 || below > kMiddle + 4)) {
      return static_cast<float>(decimal.negative ? -value : value);
    }
  }
  float value = 0;
  fast_float::from_chars(decimal.text.data(), decimal.text.data() + decimal.text.size(), value);
  return value;
}

// The value if it is an integer, however it is written (7, 7.0, 0.7e1), and fits.
inline std::optional<std::int64_t> to_integer(const Decimal& decimal) noexcept {
  if (decimal.long_mantissa) return std::nullopt;
  std::uint64_t value = decimal.mantissa;
  std::int32_t exponent = value == 0 ? 0 : decimal.exponent;
  for (; exponent < 0; ++exponent, value /= 10) {
    if (value % 10 != 0) return std::nullopt;
  }
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(value, std::uint64_t{10}, &value)) return std::nullopt;
  }
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return decimal.negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

}  // namespace embedrouter::api
