#include "base/json_text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace embedrouter {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none. Unicode 15, table 3-7.
std::size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

constexpr bool plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

constexpr auto kPlain = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = plain(static_cast<unsigned char>(c));
  return table;
}();

// Eight characters at once: the top bit of a byte tells of it.
constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kTops = 0x80 * kOnes;

std::uint64_t eight_at(std::string_view text, std::size_t at) noexcept {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, sizeof bytes);
  return bytes;
}

// Exact in whether there is any.
std::uint64_t below(std::uint64_t bytes, std::uint8_t limit) noexcept {
  return (bytes - limit * kOnes) & ~bytes & kTops;
}

bool all_ascii(std::uint64_t bytes) noexcept {
  return (bytes & kTops) == 0;
}

bool all_plain(std::uint64_t bytes) noexcept {
  const std::uint64_t quotes = below(bytes ^ ('"' * kOnes), 1);
  const std::uint64_t backslashes = below(bytes ^ ('\\' * kOnes), 1);
  return all_ascii(bytes) && (below(bytes, 0x20) | quotes | backslashes) == 0;
}

// Where, from `at` on, eight characters begin that are not all `alike`; or fewer than eight are left.
std::size_t past(std::string_view text, std::size_t at, bool (*alike)(std::uint64_t) noexcept) noexcept {
  while (text.size() - at >= 8 && alike(eight_at(text, at))) at += 8;
  return at;
}

void append_escape(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t start = 0;
  std::size_t at = 0;
  const auto flush = [&] { out.append(text.substr(start, at - start)); };
  while ((at = past(text, at, all_plain)) < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (kPlain[c]) {
      ++at;
    } else if (c < 0x80) {
      flush();
      append_escape(out, c);
      start = ++at;
    } else if (const std::size_t length = sequence_length(text.substr(at)); length != 0) {
      at += length;
    } else {
      flush();
      out += "\xEF\xBF\xBD";
      start = ++at;
    }
  }
  flush();
  out += '"';
}

bool is_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while ((at = past(text, at, all_ascii)) < text.size()) {
    const std::size_t length = sequence_length(text.substr(at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace embedrouter
