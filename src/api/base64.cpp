// The base64 functions of vector_text.h.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "api/base64_blocks.h"
#include "api/vector_text.h"

namespace embedrouter::api {
namespace {

static_assert(std::endian::native == std::endian::little, "float32 is copied as it lies in memory");

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr auto kStandard = [] {
  std::array<std::uint8_t, 256> table;
  table.fill(kNone);
  for (std::uint8_t i = 0; i < 64; ++i) table[static_cast<unsigned char>(kAlphabet[i])] = i;
  return table;
}();

constexpr auto kBothAlphabets = [] {
  auto table = kStandard;
  table['-'] = 62;
  table['_'] = 63;
  return table;
}();

std::uint32_t six_bits(char c) {
  return kBothAlphabets[static_cast<unsigned char>(c)];
}

// Without its padding, or nothing if the padding cannot be right.
std::optional<std::string_view> without_padding(std::string_view text) {
  const std::size_t whole = text.size();
  if (text.ends_with('=')) text.remove_suffix(1);
  if (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() != whole && whole % 4 != 0) return std::nullopt;
  if (text.size() % 4 == 1) return std::nullopt;
  return text;
}

tl::unexpected<Error> bad_character(std::size_t position) {
  return fail(ErrorCode::upstream_invalid_answer,
              "the base64 text holds a character at " + std::to_string(position) + " that is not base64");
}

}  // namespace

Result<std::size_t> base64_width(std::string_view text) {
  const auto characters = without_padding(text);
  if (!characters)
    return fail(ErrorCode::upstream_invalid_answer, "the length or padding of the base64 text is wrong");
  const std::size_t bytes = characters->size() / 4 * 3 + characters->size() % 4 * 3 / 4;
  if (bytes % sizeof(float) != 0) {
    return fail(ErrorCode::upstream_invalid_vector, "the base64 text holds " + std::to_string(bytes) +
                                                        " bytes, which is no whole number of float32 values");
  }
  return bytes / sizeof(float);
}

Result<void> decode_base64(std::string_view text, std::span<float> out) {
  const auto width = base64_width(text);
  if (!width) return fail(width.error());
  if (*width != out.size()) {
    return fail(ErrorCode::upstream_invalid_vector, "the vector has " + std::to_string(*width) +
                                                        " values instead of " + std::to_string(out.size()));
  }
  text = *without_padding(text);
  const std::span<unsigned char> bytes(reinterpret_cast<unsigned char*>(out.data()), out.size_bytes());
  std::size_t at = decode_base64_blocks(text, bytes);
  unsigned char* to = bytes.data() + at / 4 * 3;
  for (; at < text.size(); at += 4) {
    const std::size_t count = std::min<std::size_t>(4, text.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t value = six_bits(text[at + i]);
      if (value == kNone) return bad_character(at + i);
      bits |= value << (18 - 6 * i);
    }
    const std::size_t whole = count * 6 / 8;
    if ((bits & (0xFFFFFFU >> (8 * whole))) != 0) {
      return fail(ErrorCode::upstream_invalid_answer,
                  "the last character of the base64 text has bits that belong to no byte");
    }
    for (std::size_t i = 0; i < whole; ++i) *to++ = static_cast<unsigned char>(bits >> (16 - 8 * i));
  }
  return {};
}

void append_base64(std::string& out, std::span<const float> values) {
  const std::span<const unsigned char> bytes(reinterpret_cast<const unsigned char*>(values.data()),
                                             values.size_bytes());
  const std::size_t begin = out.size();
  out.resize(begin + (bytes.size() + 2) / 3 * 4, '=');
  const std::size_t done = encode_base64_blocks(bytes, std::span(out).subspan(begin));
  char* to = out.data() + begin + done;
  for (std::size_t at = done / 4 * 3; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < count; ++i) bits |= static_cast<std::uint32_t>(bytes[at + i]) << (16 - 8 * i);
    for (std::size_t i = 0; i <= count; ++i) to[i] = kAlphabet[(bits >> (18 - 6 * i)) & 63];
    to += 4;
  }
}

bool is_canonical_base64(std::string_view text) {
  if (text.size() % 4 != 0 || !base64_width(text)) return false;
  const std::string_view characters = *without_padding(text);
  for (std::size_t i = standard_base64_prefix(characters); i < characters.size(); ++i) {
    if (kStandard[static_cast<unsigned char>(characters[i])] == kNone) return false;
  }
  const std::size_t spare = characters.size() % 4 == 2 ? 15 : characters.size() % 4 == 3 ? 3 : 0;
  return spare == 0 || (six_bits(characters.back()) & spare) == 0;
}

}  // namespace embedrouter::api
