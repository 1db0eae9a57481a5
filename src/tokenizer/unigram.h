#pragma once
#include <array>
#include <memory>

#include "tokenizer/double_array.h"
#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

struct UnigramOptions {
  std::uint32_t unknown_id = 0;
  bool byte_fallback = false;  // what no token covers becomes the tokens "<0x00>" … of its bytes
};

// Sentencepiece's unigram model: of all ways to cover a piece with tokens the one with the highest sum of
// scores. A character that no token covers costs ten more than the lowest score; neighbours of that kind are
// one unknown token.
class Unigram final : public Model {
 public:
  // `scores` by id. `tokens` holds one token for each id, under it.
  Unigram(DoubleArray tokens, std::vector<double> scores, UnigramOptions options);

  void append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const override;
  std::optional<std::uint32_t> id_of(std::string_view token) const override;
  std::size_t token_count() const override { return scores_.size(); }
  std::uint32_t highest_id() const override {
    return scores_.empty() ? 0 : static_cast<std::uint32_t>(scores_.size() - 1);
  }

 private:
  void append_unknown(std::string_view text, std::vector<std::uint32_t>& ids) const;

  const DoubleArray tokens_;
  const std::vector<double> scores_;
  const UnigramOptions options_;
  double unknown_score_ = 0;
  bool has_bytes_ = false;
  std::array<std::uint32_t, 256> byte_ids_{};
};

}  // namespace embedrouter::tokenizer
