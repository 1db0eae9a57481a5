#include "api/base64_blocks.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace embedrouter::api {

#if defined(__x86_64__)
namespace {

bool supported() noexcept {
  static const bool avx2 = __builtin_cpu_supports("avx2");
  return avx2;
}

// The same sixteen bytes in both halves, as byte shuffles need them.
__attribute__((target("avx2"))) __m256i twice(__m128i half) noexcept {
  return _mm256_broadcastsi128_si256(half);
}

__attribute__((target("avx2"))) __m256i high_nibbles(__m256i bytes) noexcept {
  return _mm256_and_si256(_mm256_srli_epi32(bytes, 4), _mm256_set1_epi8(0x0f));
}

// Each nibble of a character selects a set of faults it may be part of; a character with a fault in both sets
// is not of the standard alphabet. Nothing is set if all are.
__attribute__((target("avx2"))) __m256i faults(__m256i characters) noexcept {
  const __m256i by_low = twice(_mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13,
                                             0x1A, 0x1B, 0x1B, 0x1B, 0x1A));
  const __m256i by_high = twice(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10,
                                              0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
  const __m256i low = _mm256_shuffle_epi8(by_low, _mm256_and_si256(characters, _mm256_set1_epi8(0x0f)));
  const __m256i high = _mm256_shuffle_epi8(by_high, high_nibbles(characters));
  return _mm256_and_si256(low, high);
}

__attribute__((target("avx2"))) bool none(__m256i bits) noexcept {
  return _mm256_testz_si256(bits, bits) != 0;
}

// Characters of the URL's alphabet as those of the standard one.
__attribute__((target("avx2"))) __m256i standard_of(__m256i characters) noexcept {
  const __m256i dash = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8('-'));
  const __m256i underscore = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8('_'));
  characters = _mm256_blendv_epi8(characters, _mm256_set1_epi8('+'), dash);
  return _mm256_blendv_epi8(characters, _mm256_set1_epi8('/'), underscore);
}

// Characters of the standard alphabet to their six bits. Within a high nibble they differ from those by a
// constant, but for '/'.
__attribute__((target("avx2"))) __m256i six_bits(__m256i characters) noexcept {
  const __m256i offsets = twice(_mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i slash = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8('/'));
  return _mm256_add_epi8(characters,
                         _mm256_shuffle_epi8(offsets, _mm256_add_epi8(slash, high_nibbles(characters))));
}

// 32 times six bits to 24 bytes: twelve at the front of each half.
__attribute__((target("avx2"))) __m256i pack(__m256i values) noexcept {
  const __m256i twelve = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
  const __m256i twenty_four = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));
  const __m256i order = twice(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
  return _mm256_shuffle_epi8(twenty_four, order);
}

// Characters decoded in one step, to three whole vectors of bytes.
constexpr std::size_t kStep = 128;

// False, with nothing written, if one is of neither alphabet.
__attribute__((target("avx2"))) bool decode_step(const char* from, unsigned char* to) noexcept {
  __m256i v[4];
  for (int i = 0; i < 4; ++i) v[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from) + i);
  const auto all_faults = [&v]() __attribute__((target("avx2"))) {
    return _mm256_or_si256(_mm256_or_si256(faults(v[0]), faults(v[1])),
                           _mm256_or_si256(faults(v[2]), faults(v[3])));
  };
  if (!none(all_faults())) {
    for (__m256i& characters : v) characters = standard_of(characters);
    if (!none(all_faults())) return false;
  }
  for (__m256i& values : v) values = pack(six_bits(values));
  // Each has six words of four bytes, which are turned to where they belong in two of the three.
  const __m256i a = _mm256_permutevar8x32_epi32(v[0], _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
  const __m256i b = _mm256_permutevar8x32_epi32(v[1], _mm256_setr_epi32(2, 4, 5, 6, 7, 7, 0, 1));
  const __m256i c = _mm256_permutevar8x32_epi32(v[2], _mm256_setr_epi32(5, 6, 7, 7, 0, 1, 2, 4));
  const __m256i d = _mm256_permutevar8x32_epi32(v[3], _mm256_setr_epi32(7, 7, 0, 1, 2, 4, 5, 6));
  const auto out = reinterpret_cast<__m256i*>(to);
  _mm256_storeu_si256(out, _mm256_blend_epi32(a, b, 0b11000000));
  _mm256_storeu_si256(out + 1, _mm256_blend_epi32(b, c, 0b11110000));
  _mm256_storeu_si256(out + 2, _mm256_blend_epi32(c, d, 0b11111100));
  return true;
}

__attribute__((target("avx2"))) std::size_t decode_avx2(std::string_view text,
                                                        std::span<unsigned char> out) noexcept {
  std::size_t done = 0;
  while (text.size() - done >= kStep && out.size() - done / 4 * 3 >= kStep / 4 * 3 &&
         decode_step(text.data() + done, out.data() + done / 4 * 3)) {
    done += kStep;
  }
  return done;
}

// 24 bytes, twelve in each half, to 32 times six bits.
__attribute__((target("avx2"))) __m256i unpack(__m256i bytes) noexcept {
  const __m256i spread =
      _mm256_shuffle_epi8(bytes, twice(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10)));
  const __m256i even = _mm256_mulhi_epu16(_mm256_and_si256(spread, _mm256_set1_epi32(0x0fc0fc00)),
                                          _mm256_set1_epi32(0x04000040));
  const __m256i odd = _mm256_mullo_epi16(_mm256_and_si256(spread, _mm256_set1_epi32(0x003f03f0)),
                                         _mm256_set1_epi32(0x01000010));
  return _mm256_or_si256(even, odd);
}

__attribute__((target("avx2"))) __m256i characters_of(__m256i values) noexcept {
  const __m256i offsets =
      twice(_mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                          '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
  // 0 for lower case, 1 to 12 for digits and signs, 13 for upper case.
  __m256i range = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
  const __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
  range = _mm256_or_si256(range, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
  return _mm256_add_epi8(values, _mm256_shuffle_epi8(offsets, range));
}

__attribute__((target("avx2"))) std::size_t encode_avx2(std::span<const unsigned char> bytes,
                                                        std::span<char> out) noexcept {
  std::size_t read = 0;
  std::size_t done = 0;
  // Two loads of sixteen bytes, of which twelve count.
  while (bytes.size() - read >= 28 && out.size() - done >= 32) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + read));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + read + 12));
    const __m256i characters = characters_of(unpack(_mm256_set_m128i(high, low)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.data() + done), characters);
    read += 24;
    done += 32;
  }
  return done;
}

__attribute__((target("avx2"))) std::size_t standard_prefix_avx2(std::string_view text) noexcept {
  std::size_t done = 0;
  while (text.size() - done >= 32 &&
         none(faults(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + done))))) {
    done += 32;
  }
  return done;
}

}  // namespace

std::size_t encode_base64_blocks(std::span<const unsigned char> bytes, std::span<char> out) noexcept {
  return supported() ? encode_avx2(bytes, out) : 0;
}
std::size_t decode_base64_blocks(std::string_view text, std::span<unsigned char> out) noexcept {
  return supported() ? decode_avx2(text, out) : 0;
}
std::size_t standard_base64_prefix(std::string_view text) noexcept {
  return supported() ? standard_prefix_avx2(text) : 0;
}

#else

std::size_t encode_base64_blocks(std::span<const unsigned char>, std::span<char>) noexcept {
  return 0;
}
std::size_t decode_base64_blocks(std::string_view, std::span<unsigned char>) noexcept {
  return 0;
}
std::size_t standard_base64_prefix(std::string_view) noexcept {
  return 0;
}

#endif

}  // namespace embedrouter::api
