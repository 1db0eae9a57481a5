#include "api/number_filter.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace embedrouter::api {

#if defined(__x86_64__)
namespace {

// Bit i of each stands for byte i of a block of 64.
struct Classes {
  std::uint64_t digit, zero, minus, dot, exponent, comma, space;
};

// What a block leaves for the next: bit 0 stands for its last byte.
struct Carry {
  std::uint64_t digit = 0, number = 0, dot = 0, exponent = 0, minus = 0, start_minus = 0, exponent_sign = 0,
                lone_zero = 0;
  std::uint64_t in_integer = 0, in_fraction = 0, in_exponent = 0;
  std::uint64_t expect_comma = 0;  // all ones after a number, else zero
};

std::uint64_t shifted(std::uint64_t bits, std::uint64_t& carry) noexcept {
  const std::uint64_t result = (bits << 1) | carry;
  carry = bits >> 63;
  return result;
}

// For runs of digits that begin at `starts` (the one before the block goes on if `carry`): the digits in
// them, and the places right behind them.
struct Runs {
  std::uint64_t inside, behind;
};
Runs runs(std::uint64_t digits, std::uint64_t starts, std::uint64_t& carry) noexcept {
  std::uint64_t sum;
  bool out = __builtin_add_overflow(digits, starts, &sum);
  out |= __builtin_add_overflow(sum, carry, &sum);
  carry = out ? 1 : 0;
  return {digits & ~sum, sum & ~digits};
}

// Bit i: whether an odd number of bits 0 to i are set. A product without carries, by all ones.
__attribute__((target("pclmul"))) std::uint64_t prefix_xor(std::uint64_t bits) noexcept {
  const __m128i factor = _mm_cvtsi64_si128(static_cast<long long>(bits));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_clmulepi64_si128(factor, _mm_set1_epi8(-1), 0)));
}

// Bits set where the grammar is broken or a closer look is due. `count` grows by the numbers that start here.
__attribute__((target("avx2,bmi,popcnt,pclmul"))) std::uint64_t doubts(const Classes& c, Carry& carry,
                                                                       std::size_t& count) noexcept {
  const std::uint64_t number = c.digit | c.minus | c.dot | c.exponent;
  const std::uint64_t start = number & ~shifted(number, carry.number);
  const std::uint64_t after_digit = shifted(c.digit, carry.digit);
  const std::uint64_t after_dot = shifted(c.dot, carry.dot);
  const std::uint64_t after_exponent = shifted(c.exponent, carry.exponent);

  std::uint64_t bad = ~(number | c.comma | c.space);
  bad |= (c.dot | c.exponent) & ~after_digit;
  bad |= after_dot & ~c.digit;
  bad |= after_exponent & ~c.minus;  // positive exponents are rare and may overflow
  bad |= c.minus & ~(start | after_exponent);
  bad |= shifted(c.minus, carry.minus) & ~c.digit;

  // A number starts with one zero or with another digit.
  const std::uint64_t integer = (start & c.digit) | shifted(start & c.minus, carry.start_minus);
  bad |= shifted(integer & c.zero, carry.lone_zero) & c.digit;

  // Of each number: at most one dot, one exponent, no dot behind the exponent.
  bad |= runs(c.digit, after_dot, carry.in_fraction).behind & c.dot;
  const std::uint64_t exponent_digits = shifted(after_exponent & c.minus, carry.exponent_sign);
  bad |= runs(c.digit, exponent_digits, carry.in_exponent).behind & (c.dot | c.exponent);

  // Sixteen aligned bytes inside one integer part: it may be long. Without that it has at most thirty digits.
  std::uint64_t wide = runs(c.digit, integer, carry.in_integer).inside;
  wide &= wide >> 1;
  wide &= wide >> 2;
  wide &= wide >> 4;
  wide &= wide >> 8;
  bad |= wide & 0x0001000100010001;

  // Numbers and commas take turns.
  const std::uint64_t turns = prefix_xor(start | c.comma) ^ carry.expect_comma;
  bad |= (start & ~turns) | (c.comma & turns);
  carry.expect_comma = 0 - (turns >> 63);
  count += static_cast<std::size_t>(__builtin_popcountll(start));
  return bad;
}

__attribute__((target("avx2"))) std::uint64_t mask(__m256i low, __m256i high) noexcept {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         (std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32);
}

__attribute__((target("avx2"))) std::uint64_t equal(__m256i low, __m256i high, char c) noexcept {
  const __m256i wanted = _mm256_set1_epi8(c);
  return mask(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
}

__attribute__((target("avx2"))) __m256i digits(__m256i bytes) noexcept {
  const __m256i value = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
}

__attribute__((target("avx2"))) Classes classify(const char* block) noexcept {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 32));
  Classes c;
  c.digit = mask(digits(low), digits(high));
  c.zero = equal(low, high, '0');
  c.minus = equal(low, high, '-');
  c.dot = equal(low, high, '.');
  c.comma = equal(low, high, ',');
  const __m256i lower_case = _mm256_set1_epi8(0x20);
  c.exponent = equal(_mm256_or_si256(low, lower_case), _mm256_or_si256(high, lower_case), 'e');
  c.space = 0;
  if ((c.digit | c.minus | c.dot | c.comma | c.exponent) != ~std::uint64_t{0}) {
    c.space =
        equal(low, high, ' ') | equal(low, high, '\n') | equal(low, high, '\r') | equal(low, high, '\t');
  }
  return c;
}

__attribute__((target("avx2,bmi,popcnt,pclmul"))) std::optional<std::size_t> count_avx2(
    std::string_view inner) noexcept {
  Carry carry;
  std::size_t count = 0;
  const char* at = inner.data();
  const char* const end = at + inner.size();
  for (; end - at >= 64; at += 64) {
    if (doubts(classify(at), carry, count) != 0) return std::nullopt;
  }
  // Blanks behind the rest end its last number; one at least, so that the end is looked at.
  char rest[64];
  std::memset(rest, ' ', sizeof rest);
  std::memcpy(rest, at, static_cast<std::size_t>(end - at));
  if (doubts(classify(rest), carry, count) != 0 || carry.expect_comma == 0) return std::nullopt;
  return count;
}

}  // namespace

std::optional<std::size_t> quick_count(std::string_view inner) noexcept {
  static const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                                __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
  return supported ? count_avx2(inner) : std::nullopt;
}

#else

std::optional<std::size_t> quick_count(std::string_view) noexcept {
  return std::nullopt;
}

#endif

}  // namespace embedrouter::api
