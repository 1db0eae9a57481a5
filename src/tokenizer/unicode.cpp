#include "tokenizer/unicode.h"

#include "base/json_text.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace embedrouter::tokenizer::unicode {

char32_t compose(char32_t first, char32_t second) noexcept {
  constexpr char32_t kL = 0x1100, kV = 0x1161, kT = 0x11A7;
  if (first >= kL && first < kL + 19 && second >= kV && second < kV + 21)
    return kHangulFirst + ((first - kL) * 21 + (second - kV)) * 28;
  if (is_hangul_syllable(first) && (first - kHangulFirst) % 28 == 0 && second > kT && second < kT + 28)
    return first + (second - kT);
  const std::span all(tables::kCompositions, tables::kCompositionCount);
  const auto key = [](const Composition& c) { return std::pair(c.first, c.second); };
  const auto found = std::ranges::lower_bound(all, std::pair(first, second), {}, key);
  return found != all.end() && key(*found) == std::pair(first, second) ? found->whole : 0;
}

std::size_t ascii_length(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + at, 8);
    if ((eight & 0x8080808080808080) != 0) break;
  }
  while (at < text.size() && is_ascii(text[at])) ++at;
  return at;
}

void append_repaired(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() >= length && is_utf8(text.substr(0, length))) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
}

}  // namespace embedrouter::tokenizer::unicode
