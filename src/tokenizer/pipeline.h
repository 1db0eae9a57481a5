#pragma once
#include "tokenizer/added_tokens.h"
#include "tokenizer/stages.h"
#include "tokenizer/tokenizer.h"

namespace embedrouter::tokenizer {

// What a tokenizer.json describes, read and checked.
struct PipelineParts {
  AddedTokens raw_tokens{{}};                         // found in the text as it comes
  AddedTokens normalized_tokens{{}};                  // found after the normalizer
  std::unique_ptr<const Normalizer> normalizer;       // may be null
  std::unique_ptr<const PreTokenizer> pre_tokenizer;  // may be null: the whole text is one piece
  std::unique_ptr<const Model> model;
  std::vector<std::uint32_t> opening, closing;  // what the post-processor puts around the text
  std::uint32_t vocabulary_size = 0;
};

class Pipeline final : public Tokenizer {
 public:
  explicit Pipeline(PipelineParts parts) : parts_(std::move(parts)) {}

  std::size_t encode(std::string_view text, std::vector<std::uint32_t>& ids,
                     std::size_t limit) const override;
  std::uint32_t vocabulary_size() const override { return parts_.vocabulary_size; }

 private:
  void append_raw(std::string_view text, std::vector<std::uint32_t>& ids) const;
  void append_segment(std::string_view text, std::vector<std::uint32_t>& ids) const;
  void append_normalized(std::string_view text, std::vector<std::uint32_t>& ids) const;
  void append_pieces(std::string_view text, std::vector<std::uint32_t>& ids) const;

  const PipelineParts parts_;
};

}  // namespace embedrouter::tokenizer
