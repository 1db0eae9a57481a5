#include "tokenizer/bert_pre_tokenizer.h"

#include "tokenizer/unicode.h"

#include <array>

namespace embedrouter::tokenizer {
namespace {

enum Kind : std::uint8_t { letter, blank, punctuation, not_ascii };

constexpr auto kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (std::size_t c = 0; c < 256; ++c) {
    if (c >= 0x80) {
      kinds[c] = not_ascii;
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
      kinds[c] = blank;
    } else if ((c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
               (c >= '{' && c <= '~')) {
      kinds[c] = punctuation;
    }
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
  return flags & unicode::kWhitespace ? blank : flags & unicode::kPunctuation ? punctuation : letter;
}

}  // namespace

void BertPreTokenizer::cut(std::string_view text, PieceSink& sink) const {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const start = at;
    const Kind kind = next_kind(at);
    if (kind == blank) continue;
    const char* stop = at;
    while (kind == letter && at != end && next_kind(at) == letter) stop = at;
    at = stop;
    sink.take({start, static_cast<std::size_t>(stop - start)});
  }
}

}  // namespace embedrouter::tokenizer
