#include "tokenizer/byte_level.h"

#include "tokenizer/scratch.h"
#include "tokenizer/unicode.h"

#include <array>

namespace embedrouter::tokenizer {
namespace {

enum Kind : std::uint8_t { letter, number, white_space, other, not_ascii };

constexpr auto kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (std::size_t c = 0; c < 256; ++c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    kinds[c] = c >= 0x80              ? not_ascii
               : is_letter            ? letter
               : c >= '0' && c <= '9' ? number
               : is_space             ? white_space
                                      : other;
  }
  return kinds;
}();

// The kind of the character at `at`, which moves behind it.
Kind next_kind(const char*& at) noexcept {
  const Kind kind = kKinds[static_cast<unsigned char>(*at)];
  if (kind != not_ascii) {
    ++at;
    return kind;
  }
  const std::uint16_t flags = unicode::properties(unicode::next_code_point(at)).flags;
  return flags & unicode::kLetter       ? letter
         : flags & unicode::kNumber     ? number
         : flags & unicode::kWhitespace ? white_space
                                        : other;
}

// 's 't 're 've 'm 'll 'd at the start of `text`: bytes, or 0.
std::size_t contraction(std::string_view text) noexcept {
  if (text.size() < 2 || text[0] != '\'') return 0;
  switch (text[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2;
    case 'r':
    case 'v':
      return text.substr(2).starts_with('e') ? 3 : 0;
    case 'l':
      return text.substr(2).starts_with('l') ? 3 : 0;
    default:
      return 0;
  }
}

// The white space before a word is left to the word, all but its last character is not.
const char* white_space_end(const char* at, const char* end) noexcept {
  const char* last = at;  // where the last character of the run starts
  const char* const start = at;
  while (at != end) {
    const char* next = at;
    if (next_kind(next) != white_space) return last == start ? at : last;
    last = at;
    at = next;
  }
  return at;
}

// The end of the piece that starts at `at`, which is not `end`:
// '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
const char* piece_end(const char* at, const char* end) noexcept {
  if (const std::size_t length = contraction({at, static_cast<std::size_t>(end - at)})) return at + length;
  const char* next = at;
  Kind kind = next_kind(next);
  if (*at == ' ' && next != end) {
    const char* second = next;
    kind = next_kind(second);
    if (kind != white_space) next = second;
  }
  if (kind == white_space) return white_space_end(at, end);
  for (at = next; at != end && next_kind(next) == kind;) at = next;
  return at;
}

void cut_words(std::string_view text, PieceSink& sink) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const stop = piece_end(at, end);
    sink.take({at, static_cast<std::size_t>(stop - at)});
    at = stop;
  }
}

}  // namespace

void ByteLevel::cut(std::string_view text, PieceSink& sink) const {
  if (text.empty()) return;
  Scratch<> spaced;
  if (options_.add_prefix_space && text[0] != ' ') {
    *spaced = ' ';
    *spaced += text;
    text = *spaced;
  }
  if (options_.use_regex) {
    cut_words(text, sink);
  } else {
    sink.take(text);
  }
}

}  // namespace embedrouter::tokenizer
