#pragma once
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace embedrouter::tokenizer {

// Strings to numbers as a trie in one array (a double array): a step for each byte of a text is one read.
// Built once, then read by any thread.
class DoubleArray {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t kMaxValue = (1U << 27) - 2;

  // Keys are not empty and differ; values are at most kMaxValue. The bytes of all keys are fewer than 2^27.
  explicit DoubleArray(std::vector<std::pair<std::string_view, std::uint32_t>> entries);

  // Calls `use(length, value)` for every key that `text` starts with, shortest first.
  template <class Use>
  void each_prefix(std::string_view text, Use use) const {
    std::size_t base = root_;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const std::uint64_t unit = units_[base ^ byte];
      if ((unit & (kUsed | 0xFF)) != (kUsed | byte)) return;
      if (const std::uint64_t value = unit >> kValueShift & kValueMask)
        use(i + 1, static_cast<std::uint32_t>(value - 1));
      base = unit >> kBaseShift;
    }
  }
  std::uint32_t find(std::string_view key) const noexcept;

 private:
  class Builder;
  // Of a node: the byte that leads to it, whether it is one, its value and one (0 for none), the base of its
  // children. A child stands at its byte ^ base, and no two nodes share a base, so the byte tells whose it
  // is. Base 0 is that of nodes without children: nothing stands in the first 256 units.
  static constexpr std::uint64_t kUsed = 1 << 8;
  static constexpr int kValueShift = 9, kBaseShift = 36;
  static constexpr std::uint64_t kValueMask = (1 << 27) - 1;

  std::vector<std::uint64_t> units_;
  std::size_t root_ = 0;
};

}  // namespace embedrouter::tokenizer
