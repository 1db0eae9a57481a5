#pragma once
#include <embedrouter/result.h>

#include <array>

#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

// The map of a sentencepiece model: a double array of the texts it replaces, and what with. The reference
// looks up grapheme clusters of less than six bytes whole, takes the shortest key that one starts with, and
// drops the rest of the cluster; other clusters go code point by code point. So does this.
class Precompiled final : public Normalizer {
 public:
  // `charsmap`: the bytes of precompiled_charsmap, base64 taken off. Fails if they are no such map.
  static Result<std::unique_ptr<const Precompiled>> read(std::string_view charsmap);
  void append(std::string_view text, std::string& out) const override;

 private:
  Precompiled() = default;
  // What the shortest key at the start of `text` becomes; null if there is none.
  const char* find(std::string_view text) const noexcept;
  void append_cluster(std::string_view cluster, std::string& out) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;              // each ends with a zero
  std::array<const char*, 128> ascii_{};  // find() of the ASCII characters
};

// Bytes of the grapheme cluster that `text`, not empty, starts with.
std::size_t cluster_length(std::string_view text) noexcept;

}  // namespace embedrouter::tokenizer
