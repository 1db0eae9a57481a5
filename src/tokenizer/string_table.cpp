#include "tokenizer/string_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace embedrouter::tokenizer {
namespace {

constexpr bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

StringTable::StringTable(std::size_t count) : slots_(std::bit_ceil(std::max<std::size_t>(count, 1) * 2)) {
  entries_.reserve(count);
  shift_ = 32 - std::countr_zero(slots_.size());
}

bool StringTable::insert(std::string_view key, std::uint32_t value) {
  std::uint64_t hash = kSeed;
  for (const char byte : key) hash = step(hash, byte);
  const std::uint32_t tag = tag_of(hash);
  if (find(key, tag) != kNone) return false;
  std::size_t at = tag >> shift_;
  while (slots_[at].entry != 0) at = (at + 1) & (slots_.size() - 1);
  entries_.push_back(
      {static_cast<std::uint32_t>(arena_.size()), static_cast<std::uint32_t>(key.size()), value});
  arena_ += key;
  slots_[at] = {tag, static_cast<std::uint32_t>(entries_.size())};
  auto& longest = longest_[static_cast<unsigned char>(key[0])];
  longest = std::max(longest, static_cast<std::uint16_t>(key.size()));
  return true;
}

std::uint32_t StringTable::find(std::string_view key, std::uint32_t tag) const noexcept {
  for (std::size_t at = tag >> shift_; slots_[at].entry != 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].tag != tag) continue;
    const Entry& entry = entries_[slots_[at].entry - 1];
    if (entry.length == key.size() && std::memcmp(arena_.data() + entry.offset, key.data(), key.size()) == 0)
      return entry.value;
  }
  return kNone;
}

std::uint32_t StringTable::find(std::string_view key) const noexcept {
  std::uint64_t hash = kSeed;
  for (const char byte : key) hash = step(hash, byte);
  return find(key, tag_of(hash));
}

StringTable::Match StringTable::longest_prefix(std::string_view text) const noexcept {
  std::array<std::uint32_t, kMaxLength> tags;
  const std::size_t longest =
      std::min<std::size_t>(text.size(), longest_[static_cast<unsigned char>(text[0])]);
  std::uint64_t hash = kSeed;
  for (std::size_t i = 0; i < longest; ++i) tags[i] = tag_of(hash = step(hash, text[i]));
  for (std::size_t length = longest; length > 0; --length) {
    if (length < text.size() && is_continuation(text[length])) continue;
    const std::uint32_t value = find(text.substr(0, length), tags[length - 1]);
    if (value != kNone) return {value, length};
  }
  return {};
}

}  // namespace embedrouter::tokenizer
