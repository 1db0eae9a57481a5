#pragma once
// What the reference library believes of Unicode, and UTF-8 in and out. Its properties come from several
// Unicode versions, so these tables are asked of it (scripts/make_unicode_tables) and not of one standard.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace embedrouter::tokenizer::unicode {

enum Flag : std::uint16_t {
  kControl = 1,      // dropped by BERT's cleaning: U+0000, U+FFFD and controls, but neither tab nor line ends
  kWhitespace = 2,   // White_Space
  kPunctuation = 4,  // BERT's: general punctuation and every ASCII symbol
  kMark = 8,         // Mn, what the stripping of accents drops
  kCjk = 16,         // BERT's CJK ideographs
  kWord = 32,        // \w of a regular expression
  kLetter = 64,      // \p{L}
  kNumber = 128,     // \p{N}
  kCombining = 256,  // M, what the normalizer StripAccents drops
};

// Grapheme_Cluster_Break and Indic_Conjunct_Break in one, where they make a difference.
enum class Grapheme : std::uint8_t {
  other,
  control,
  extend,
  extend_conjunct,  // that a conjunct may hold
  linker,           // of a conjunct
  joiner,           // U+200D
  spacing_mark,
  prepend,
  hangul_l,
  hangul_v,
  hangul_t,
  hangul_lv,
  hangul_lvt,
  pictograph,
  consonant,  // of a conjunct
};

// `lower_delta` leads from a code point to its lower case. Where that is several code points,
// `lower_sequence` is set instead. Sequences are places in kSequences, 0 for none; Hangul syllables decompose
// by arithmetic and have none.
struct Properties {
  std::uint16_t flags;
  std::uint8_t combining_class;
  Grapheme grapheme;
  std::int32_t lower_delta;
  std::uint16_t lower_sequence;
  std::uint16_t decomposition;  // canonical and full
  std::uint16_t compatibility;  // the same with compatibility mappings, where they make a difference
};

// Two code points that canonical composition joins.
struct Composition {
  char32_t first, second, whole;
};

namespace tables {
extern const std::uint16_t kStage1[];
extern const std::uint16_t kStage2[];
extern const Properties kProperties[];
extern const char32_t kSequences[];        // at each place the length, then the code points
extern const Composition kCompositions[];  // in order; Hangul is arithmetic
extern const std::size_t kCompositionCount;
}  // namespace tables

// `c` must be below 0x110000.
inline const Properties& properties(char32_t c) noexcept {
  return tables::kProperties[tables::kStage2[tables::kStage1[c >> 7] * 128U + (c & 127)]];
}

inline std::u32string_view sequence(std::uint16_t place) noexcept {
  const char32_t* at = tables::kSequences + place;
  return {at + 1, static_cast<std::size_t>(*at)};
}

inline constexpr char32_t kHangulFirst = 0xAC00, kHangulLast = 0xD7A3;
inline bool is_hangul_syllable(char32_t c) noexcept {
  return c >= kHangulFirst && c <= kHangulLast;
}

// What the two make together, or 0 if nothing.
char32_t compose(char32_t first, char32_t second) noexcept;

inline bool is_ascii(char byte) noexcept {
  return static_cast<unsigned char>(byte) < 0x80;
}
// Where the ASCII characters at the start of `text` end.
std::size_t ascii_length(std::string_view text) noexcept;

// Calls `put` with the code points of the lower case of `c`.
template <class Put>
void each_lower(char32_t c, const Properties& p, Put put) {
  if (p.lower_sequence == 0) return put(c + static_cast<char32_t>(p.lower_delta));
  for (const char32_t part : sequence(p.lower_sequence)) put(part);
}

// Reads the code point at `at` and moves `at` behind it. The text must be valid UTF-8 and not end at `at`.
inline char32_t next_code_point(const char*& at) noexcept {
  const auto byte = [&at] { return static_cast<unsigned char>(*at++); };
  const char32_t first = byte();
  if (first < 0x80) return first;
  char32_t c = byte() & 0x3FU;
  if (first < 0xE0) return (first & 0x1F) << 6 | c;
  c = c << 6 | (byte() & 0x3FU);
  if (first < 0xF0) return (first & 0x0F) << 12 | c;
  return (first & 0x07) << 18 | c << 6 | (byte() & 0x3FU);
}

// The code point that ends at the end of `text`: valid UTF-8, not empty.
inline char32_t last_code_point(std::string_view text) noexcept {
  const char* at = text.data() + text.size() - 1;
  while ((static_cast<unsigned char>(*at) & 0xC0) == 0x80) --at;
  return next_code_point(at);
}

inline char32_t first_code_point(std::string_view text) noexcept {
  const char* at = text.data();
  return next_code_point(at);
}

// Appends `c`, a code point that is no surrogate, as UTF-8.
inline void append_utf8(std::string& out, char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    const char bytes[] = {static_cast<char>(0xC0 | c >> 6), tail(0)};
    out.append(bytes, sizeof bytes);
  } else if (c < 0x10000) {
    const char bytes[] = {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
    out.append(bytes, sizeof bytes);
  } else {
    const char bytes[] = {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
    out.append(bytes, sizeof bytes);
  }
}

// Appends `text` with every byte that belongs to no well-formed character replaced by U+FFFD.
void append_repaired(std::string& out, std::string_view text);

}  // namespace embedrouter::tokenizer::unicode
