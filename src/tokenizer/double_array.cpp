#include "tokenizer/double_array.h"

#include <algorithm>

namespace embedrouter::tokenizer {

// Places the children of one node after the other where there is room.
class DoubleArray::Builder {
 public:
  explicit Builder(std::vector<std::uint64_t>& units) : units_(units) {
    units_.assign(kBlock, 0);
    next_.assign(kBlock, 0);
    previous_.assign(kBlock, 0);
    taken_.assign(kBlock, true);
  }

  // A base with room for children at these bytes.
  std::size_t place(const std::vector<std::uint8_t>& bytes) {
    int tries = kTries;
    for (std::size_t at = next_[kEnds]; at != kEnds && tries > 0; at = next_[at], --tries) {
      const std::size_t base = at ^ bytes[0];
      if (!taken_[base] && std::ranges::all_of(bytes, [&](std::uint8_t b) { return units_[base ^ b] == 0; }))
        return take(base, bytes);
    }
    const std::size_t base = units_.size();
    open_block();
    return take(base, bytes);
  }

 private:
  static constexpr std::size_t kBlock = 256, kOpenBlocks = 16;
  static constexpr std::size_t kEnds = 0;  // of the list of free units, a ring through unit 0
  static constexpr int kTries = 64;

  std::size_t take(std::size_t base, const std::vector<std::uint8_t>& bytes) {
    taken_[base] = true;
    for (const std::uint8_t byte : bytes) {
      units_[base ^ byte] = kUsed | byte;
      unlink(base ^ byte);
    }
    return base;
  }

  // What is still free in old blocks is left so: to look at it again and again would cost more.
  void open_block() {
    const std::size_t start = units_.size();
    units_.resize(start + kBlock);
    next_.resize(start + kBlock);
    previous_.resize(start + kBlock);
    taken_.resize(start + kBlock);
    for (std::size_t at = start; at < start + kBlock; ++at) link(at);
    if (start < (kOpenBlocks + 1) * kBlock) return;
    const std::size_t old = start - kOpenBlocks * kBlock;
    for (std::size_t at = old; at < old + kBlock; ++at) {
      if (units_[at] == 0) unlink(at);
    }
  }

  void link(std::size_t at) {
    const std::uint32_t last = previous_[kEnds];
    next_[last] = static_cast<std::uint32_t>(at);
    previous_[at] = last;
    next_[at] = kEnds;
    previous_[kEnds] = static_cast<std::uint32_t>(at);
  }
  void unlink(std::size_t at) {
    if (next_[at] == at) return;  // of an old block
    next_[previous_[at]] = next_[at];
    previous_[next_[at]] = previous_[at];
    next_[at] = previous_[at] = static_cast<std::uint32_t>(at);
  }

  std::vector<std::uint64_t>& units_;
  std::vector<std::uint32_t> next_, previous_;
  std::vector<bool> taken_;  // bases
};

DoubleArray::DoubleArray(std::vector<std::pair<std::string_view, std::uint32_t>> entries) {
  std::ranges::sort(entries);
  Builder builder(units_);
  if (entries.empty()) return;
  // Nodes whose children are still to be placed: the entries below a node are neighbours.
  struct Node {
    std::size_t unit, begin, end, depth;
  };
  constexpr std::size_t kRoot = std::numeric_limits<std::size_t>::max();
  std::vector<Node> nodes{{kRoot, 0, entries.size(), 0}};
  std::vector<std::uint8_t> bytes;
  while (!nodes.empty()) {
    Node node = nodes.back();
    nodes.pop_back();
    const auto byte_of = [&](std::size_t i) {
      return static_cast<std::uint8_t>(entries[i].first[node.depth]);
    };
    if (entries[node.begin].first.size() == node.depth) {
      units_[node.unit] |= std::uint64_t{entries[node.begin].second + 1} << kValueShift;
      ++node.begin;
    }
    bytes.clear();
    for (std::size_t i = node.begin; i < node.end; ++i) {
      if (bytes.empty() || bytes.back() != byte_of(i)) bytes.push_back(byte_of(i));
    }
    if (bytes.empty()) continue;
    const std::size_t base = builder.place(bytes);
    if (node.unit == kRoot) {
      root_ = base;
    } else {
      units_[node.unit] |= std::uint64_t{base} << kBaseShift;
    }
    for (std::size_t i = node.begin; i < node.end;) {
      const std::size_t begin = i;
      const std::uint8_t byte = byte_of(i);
      while (i < node.end && byte_of(i) == byte) ++i;
      nodes.push_back({base ^ byte, begin, i, node.depth + 1});
    }
  }
}

std::uint32_t DoubleArray::find(std::string_view key) const noexcept {
  std::uint32_t found = kNone;
  each_prefix(key, [&](std::size_t length, std::uint32_t value) {
    if (length == key.size()) found = value;
  });
  return found;
}

}  // namespace embedrouter::tokenizer
