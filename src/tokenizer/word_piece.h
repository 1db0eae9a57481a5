#pragma once
#include "tokenizer/stages.h"
#include "tokenizer/string_table.h"

namespace embedrouter::tokenizer {

struct WordPieceOptions {
  std::string continuing_subword_prefix = "##";
  std::size_t max_input_chars_per_word = 100;  // code points; a longer piece is unknown
  std::uint32_t unknown_id = 0;
};

// Longest match first, from the left: the start of a piece from the whole vocabulary, the rest from the
// tokens that carry the prefix. A piece that cannot be covered is one unknown token.
class WordPiece final : public Model {
 public:
  // `vocabulary` holds every token under its full name.
  WordPiece(StringTable vocabulary, StringTable continuations, std::uint32_t highest_id,
            WordPieceOptions options);

  void append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const override;
  std::optional<std::uint32_t> id_of(std::string_view token) const override;
  std::size_t token_count() const override { return vocabulary_.size(); }
  std::uint32_t highest_id() const override { return highest_id_; }

 private:
  bool too_long(std::string_view piece) const noexcept;

  const StringTable vocabulary_;
  const StringTable continuations_;  // without the prefix
  const std::uint32_t highest_id_;
  const WordPieceOptions options_;
};

}  // namespace embedrouter::tokenizer
