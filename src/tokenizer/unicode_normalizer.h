#pragma once
#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

enum class UnicodeForm : std::uint8_t { nfc, nfd, nfkc, nfkd };

// The normalization forms of Unicode.
class UnicodeNormalizer final : public Normalizer {
 public:
  explicit UnicodeNormalizer(UnicodeForm form) : form_(form) {}
  void append(std::string_view text, std::string& out) const override;

 private:
  const UnicodeForm form_;
};

}  // namespace embedrouter::tokenizer
