#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::tokenizer {

// Strings to numbers, built once, then read by any thread: open addressing over one arena, at most half full.
// The hash runs byte by byte, so that one pass over a text gives the hashes of all its prefixes.
class StringTable {
 public:
  static constexpr std::size_t kMaxLength = 512;  // bytes of a key
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  // Room for `count` strings.
  explicit StringTable(std::size_t count);

  // False if `key` is there already. A key has 1 to kMaxLength bytes; `value` is not kNone.
  bool insert(std::string_view key, std::uint32_t value);

  std::uint32_t find(std::string_view key) const noexcept;
  std::size_t size() const noexcept { return entries_.size(); }

  // Calls `use(key, value)` for every key, in the order they came.
  template <class Use>
  void each(Use use) const {
    for (const Entry& entry : entries_)
      use(std::string_view(arena_).substr(entry.offset, entry.length), entry.value);
  }

  struct Match {
    std::uint32_t value = kNone;
    std::size_t length = 0;
  };
  // The longest key that `text`, not empty and valid UTF-8, starts with.
  Match longest_prefix(std::string_view text) const noexcept;

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t entry = 0;  // one more than the place in entries_; 0 if the slot is free
  };
  struct Entry {
    std::uint32_t offset;
    std::uint32_t length;
    std::uint32_t value;
  };
  static constexpr std::uint64_t kSeed = 0xCBF29CE484222325;
  static std::uint64_t step(std::uint64_t hash, char byte) noexcept {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x9E3779B97F4A7C15;
  }
  static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
  std::uint32_t find(std::string_view key, std::uint32_t tag) const noexcept;

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;                   // a power of two
  int shift_;                                 // of a tag, to the place of its first slot
  std::array<std::uint16_t, 256> longest_{};  // bytes of the longest key, by first byte
};

}  // namespace embedrouter::tokenizer
