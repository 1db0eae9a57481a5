#include "tokenizer/precompiled.h"

#include "base/json_text.h"
#include "tokenizer/json_fields.h"
#include "tokenizer/unicode.h"

#include <bit>
#include <cstring>

namespace embedrouter::tokenizer {
namespace {

constexpr std::size_t kLongestWhole = 5;  // bytes of a cluster that is looked up whole

// A unit of the double array: what byte leads to it, how far its children are, whether its value is there.
struct Unit {
  std::uint32_t bits;
  bool has_value() const noexcept { return (bits >> 8 & 1) != 0; }
  std::uint32_t label() const noexcept { return bits & (1U << 31 | 0xFF); }
  std::uint32_t offset() const noexcept { return bits >> 10 << ((bits & 1U << 9) >> 6); }
  std::uint32_t value() const noexcept { return bits & ~(1U << 31); }
};

}  // namespace

Result<std::unique_ptr<const Precompiled>> Precompiled::read(std::string_view charsmap) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t size = 0;
  if (charsmap.size() < sizeof size) return wrong_file("is shorter than its header");
  std::memcpy(&size, charsmap.data(), sizeof size);
  charsmap.remove_prefix(sizeof size);
  if (size == 0 || size % 4 != 0 || size > charsmap.size())
    return wrong_file("is shorter than its header says");
  std::unique_ptr<Precompiled> made(new Precompiled());
  made->units_.resize(size / 4);
  std::memcpy(made->units_.data(), charsmap.data(), size);
  made->replacements_ = charsmap.substr(size);
  if (!is_utf8(made->replacements_) || !made->replacements_.ends_with('\0'))
    return wrong_file("does not end with texts");
  for (const std::uint32_t unit : made->units_) {
    // A value is the start of a text: at the beginning, or behind the end of another.
    const std::uint32_t at = Unit{unit}.value();
    if (unit >> 31 == 0) continue;
    if (at >= made->replacements_.size() ||
        (static_cast<unsigned char>(made->replacements_[at]) & 0xC0) == 0x80)
      return wrong_file("holds a value outside its texts");
  }
  for (std::size_t c = 1; c < made->ascii_.size(); ++c) {
    const char text = static_cast<char>(c);
    made->ascii_[c] = made->find({&text, 1});
  }
  return made;
}

const char* Precompiled::find(std::string_view text) const noexcept {
  std::size_t at = Unit{units_[0]}.offset();
  for (const char byte : text) {
    at ^= static_cast<unsigned char>(byte);
    if (byte == 0 || at >= units_.size()) return nullptr;
    const Unit unit{units_[at]};
    if (unit.label() != static_cast<unsigned char>(byte)) return nullptr;
    at ^= unit.offset();
    if (!unit.has_value()) continue;
    if (at >= units_.size() || units_[at] >> 31 == 0) return nullptr;
    return replacements_.data() + Unit{units_[at]}.value();
  }
  return nullptr;
}

void Precompiled::append_cluster(std::string_view cluster, std::string& out) const {
  if (cluster.size() <= kLongestWhole) {
    if (const char* replacement = find(cluster)) {
      out += replacement;
      return;
    }
  }
  while (!cluster.empty()) {
    const char* at = cluster.data();
    unicode::next_code_point(at);
    const std::string_view part = cluster.substr(0, static_cast<std::size_t>(at - cluster.data()));
    const char* replacement = find(part);
    out += replacement ? std::string_view(replacement) : part;
    cluster.remove_prefix(part.size());
  }
}

void Precompiled::append(std::string_view text, std::string& out) const {
  while (!text.empty()) {
    // An ASCII character before another is a cluster, unless they are CR and LF.
    std::size_t plain = unicode::ascii_length(text);
    if (plain < text.size() && plain > 0) --plain;
    std::size_t done = 0;
    while (done < plain && !text.substr(done).starts_with("\r\n")) {
      const char byte = text[done++];
      if (const char* replacement = ascii_[static_cast<unsigned char>(byte)]) {
        out += replacement;
      } else {
        out.push_back(byte);
      }
    }
    if (done == 0) {
      done = cluster_length(text);
      append_cluster(text.substr(0, done), out);
    }
    text.remove_prefix(done);
  }
}

}  // namespace embedrouter::tokenizer
