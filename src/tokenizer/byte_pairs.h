#pragma once
#include <array>

#include "tokenizer/stages.h"
#include "tokenizer/string_table.h"

namespace embedrouter::tokenizer {

// GPT-2 writes the bytes of a token as letters, so that none is white space or a control. The byte that the
// letter `c` stands for, or -1.
int byte_of_letter(char32_t c) noexcept;

// Two tokens beside each other that become one. Of several the one of the lowest rank is first, then the
// leftmost.
struct Merge {
  std::uint32_t left = 0, right = 0, rank = 0, whole = 0;
};

// Merges, found by their parts: open addressing, at most half full.
class MergeTable {
 public:
  // Of two with the same parts the later counts. The parts are below 2^31.
  explicit MergeTable(const std::vector<Merge>& merges);
  // Null if the two do not merge.
  const Merge* find(std::uint32_t left, std::uint32_t right) const noexcept;

 private:
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;
  std::size_t place(std::uint32_t left, std::uint32_t right) const noexcept;

  std::vector<Merge> slots_;
};

// Byte-level byte pair encoding: a piece starts as its bytes, then neighbours merge until none can.
class BytePairs final : public Model {
 public:
  struct Tokens {
    StringTable by_bytes{0};                   // those that are written in letters of bytes
    StringTable others{0};                     // by name; no text is ever matched with them
    std::array<std::uint32_t, 256> of_byte{};  // ids
    std::uint32_t highest_id = 0;
  };
  // `whole_pieces`: a piece that is a token becomes it, whatever the merges say.
  BytePairs(Tokens tokens, MergeTable merges, bool whole_pieces);

  void append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const override;
  std::optional<std::uint32_t> id_of(std::string_view token) const override;
  std::size_t token_count() const override { return tokens_.by_bytes.size() + tokens_.others.size(); }
  std::uint32_t highest_id() const override { return tokens_.highest_id; }

 private:
  void append_merged(std::string_view piece, std::vector<std::uint32_t>& ids) const;

  const Tokens tokens_;
  const MergeTable merges_;
  std::vector<bool> is_whole_;  // by id: merging its bytes gives the token, or the merges do not count
};

}  // namespace embedrouter::tokenizer
