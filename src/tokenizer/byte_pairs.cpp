#include "tokenizer/byte_pairs.h"

#include "tokenizer/scratch.h"
#include "tokenizer/unicode.h"

#include <algorithm>
#include <bit>

namespace embedrouter::tokenizer {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;

// Bytes that stand for themselves: what is printed in ISO 8859-1. The others follow from U+0100 on.
constexpr bool is_own_letter(std::uint32_t byte) noexcept {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr auto kOtherBytes = [] {
  std::array<std::uint8_t, 68> bytes{};
  std::size_t count = 0;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    if (!is_own_letter(byte)) bytes[count++] = static_cast<std::uint8_t>(byte);
  }
  return bytes;
}();

// A token of the piece, between its neighbours.
struct Symbol {
  std::uint32_t id;  // kNone once it has become a part of the one before
  std::uint32_t previous, next;
};

// Two neighbours that may merge, by what comes first: the rank, then the place.
struct Candidate {
  std::uint32_t rank, at, whole;
  std::uint32_t left, right;  // the ids it was found with; others stand there by now if it is stale
};

// For the heap of the standard library, whose top is the greatest.
bool comes_later(const Candidate& a, const Candidate& b) noexcept {
  return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
}

}  // namespace

int byte_of_letter(char32_t c) noexcept {
  if (c < 256) return is_own_letter(c) ? static_cast<int>(c) : -1;
  return c - 256 < kOtherBytes.size() ? kOtherBytes[c - 256] : -1;
}

MergeTable::MergeTable(const std::vector<Merge>& merges)
    : slots_(std::bit_ceil(merges.size() * 2 + 1), Merge{.left = kFree}) {
  for (const Merge& merge : merges) {
    std::size_t at = place(merge.left, merge.right);
    while (slots_[at].left != kFree && (slots_[at].left != merge.left || slots_[at].right != merge.right))
      at = (at + 1) & (slots_.size() - 1);
    slots_[at] = merge;
  }
}

std::size_t MergeTable::place(std::uint32_t left, std::uint32_t right) const noexcept {
  const std::uint64_t hash = (std::uint64_t{left} << 32 | right) * 0x9E3779B97F4A7C15;
  return (hash >> 32) & (slots_.size() - 1);
}

const Merge* MergeTable::find(std::uint32_t left, std::uint32_t right) const noexcept {
  for (std::size_t at = place(left, right); slots_[at].left != kFree; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].left == left && slots_[at].right == right) return &slots_[at];
  }
  return nullptr;
}

BytePairs::BytePairs(Tokens tokens, MergeTable merges, bool whole_pieces)
    : tokens_(std::move(tokens)),
      merges_(std::move(merges)),
      is_whole_(std::size_t{tokens_.highest_id} + 1, whole_pieces) {
  if (whole_pieces) return;
  std::vector<std::uint32_t> ids;
  tokens_.by_bytes.each([&](std::string_view bytes, std::uint32_t id) {
    ids.clear();
    append_merged(bytes, ids);
    is_whole_[id] = ids.size() == 1 && ids[0] == id;
  });
}

void BytePairs::append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const {
  if (piece.size() <= StringTable::kMaxLength) {
    const std::uint32_t id = tokens_.by_bytes.find(piece);
    if (id != StringTable::kNone && is_whole_[id]) return ids.push_back(id);
  }
  append_merged(piece, ids);
}

void BytePairs::append_merged(std::string_view piece, std::vector<std::uint32_t>& ids) const {
  Scratch<std::vector<Symbol>> symbols;
  Scratch<std::vector<Candidate>> heap;
  const auto size = static_cast<std::uint32_t>(piece.size());
  symbols->reserve(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    symbols->push_back({tokens_.of_byte[byte], i - 1, i + 1 < size ? i + 1 : kNone});
  }
  const auto propose = [&](std::uint32_t at) {
    const Symbol& left = (*symbols)[at];
    const std::uint32_t right = (*symbols)[left.next].id;
    const Merge* merge = merges_.find(left.id, right);
    if (merge) heap->push_back({merge->rank, at, merge->whole, left.id, right});
    return merge != nullptr;
  };
  for (std::uint32_t i = 0; i + 1 < size; ++i) propose(i);
  std::ranges::make_heap(*heap, comes_later);
  while (!heap->empty()) {
    std::ranges::pop_heap(*heap, comes_later);
    const Candidate top = heap->back();
    heap->pop_back();
    Symbol& left = (*symbols)[top.at];
    if (left.id != top.left || left.next == kNone || (*symbols)[left.next].id != top.right) continue;
    Symbol& right = (*symbols)[left.next];
    left.id = top.whole;
    right.id = kNone;
    left.next = right.next;
    if (left.next != kNone) {
      (*symbols)[left.next].previous = top.at;
      if (propose(top.at)) std::ranges::push_heap(*heap, comes_later);
    }
    if (left.previous != kNone && propose(left.previous)) std::ranges::push_heap(*heap, comes_later);
  }
  for (std::uint32_t i = 0; i < size; i = (*symbols)[i].next) ids.push_back((*symbols)[i].id);
}

std::optional<std::uint32_t> BytePairs::id_of(std::string_view token) const {
  std::string bytes;
  for (const char *at = token.data(), *end = at + token.size(); at != end;) {
    const int byte = byte_of_letter(unicode::next_code_point(at));
    if (byte < 0) {
      const std::uint32_t id = tokens_.others.find(token);
      return id == StringTable::kNone ? std::nullopt : std::optional(id);
    }
    bytes.push_back(static_cast<char>(byte));
  }
  const std::uint32_t id = tokens_.by_bytes.find(bytes);
  return id == StringTable::kNone ? std::nullopt : std::optional(id);
}

}  // namespace embedrouter::tokenizer
