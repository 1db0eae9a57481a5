#pragma once
#include "tokenizer/string_table.h"

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::tokenizer {

struct AddedToken {
  std::string content;  // as it stands in the text that is searched: raw, or normalized
  std::uint32_t id = 0;
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it too
  bool rstrip = false;       // and after it
};

// Finds tokens that are recognised before the model sees a text, [SEP] for one: leftmost, then longest.
// Immutable and thread-safe.
class AddedTokens {
 public:
  // Contents are valid UTF-8 of 1 to StringTable::kMaxLength bytes, no two of them equal.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const noexcept { return tokens_.empty(); }

  // Walks over one text, which must outlive it and be valid UTF-8.
  class Search {
   public:
    Search(const AddedTokens& tokens, std::string_view text) : tokens_(tokens), text_(text) {}
    // The id of the next token found. `between` becomes the text since the one before; after the last, the
    // rest.
    std::optional<std::uint32_t> next(std::string_view& between);

   private:
    bool stands_alone(std::size_t start, std::size_t stop) const noexcept;

    const AddedTokens& tokens_;
    const std::string_view text_;
    std::size_t at_ = 0;        // where the search goes on
    std::size_t covered_ = 0;   // up to where the text is given out
    std::size_t stripped_ = 0;  // up to where white space was stripped on the right
  };

 private:
  std::size_t find_candidate(std::string_view text, std::size_t at) const noexcept;

  std::vector<AddedToken> tokens_;
  StringTable places_;  // content → place in tokens_
  std::bitset<256> first_bytes_;
};

}  // namespace embedrouter::tokenizer
