// Base64 of vectors: the vectorised reader and writer against the plainest ones, on any bytes.
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "api/vector_text.h"

namespace {

using namespace embedrouter;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void require(bool holds) {
  if (!holds) std::abort();
}

// RFC 4648 with either alphabet; padding whole or absent; spare bits zero. Nothing if that is not what `text`
// is.
std::optional<std::string> plain_decode(std::string_view text) {
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) text.remove_suffix(1), ++padding;
  if (text.size() % 4 == 1 || (padding != 0 && (text.size() + padding) % 4 != 0)) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const char standard = c == '-' ? '+' : c == '_' ? '/' : c;
    const std::size_t value = kAlphabet.find(standard);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count);
    bits &= (1U << count) - 1;
  }
  if (bits != 0) return std::nullopt;
  return out;
}

std::string plain_encode(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) out += i <= group.size() ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

void read(std::string_view text) {
  auto expected = plain_decode(text);
  if (expected && expected->size() % sizeof(float) != 0) expected.reset();
  const auto width = api::base64_width(text);
  std::vector<float> values(width.value_or(0));
  const bool taken = width && api::decode_base64(text, values);
  require(taken == expected.has_value());
  if (!taken) {
    require(!api::is_canonical_base64(text));
    return;
  }
  require(*width * sizeof(float) == expected->size());
  require(expected->empty() || std::memcmp(values.data(), expected->data(), expected->size()) == 0);
  require(api::is_canonical_base64(text) == (plain_encode(*expected) == text));
}

// The bytes as values, whatever numbers they are.
void write(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  const std::string expected = "before" + plain_encode(bytes.substr(0, values.size() * sizeof(float)));
  std::string written = "before";
  api::append_base64(written, values);
  require(written == expected);
  read(std::string_view(written).substr(6));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Exactly as long, so that a read behind the end is found.
  const std::vector<char> exact(data, data + size);
  const std::string_view bytes(exact.data(), exact.size());
  read(bytes);
  write(bytes);
  return 0;
}
