#pragma once
#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

// Splits at white space, and around every punctuation character.
class BertPreTokenizer final : public PreTokenizer {
 public:
  std::string_view next(std::string_view& rest) const override;
};

}  // namespace embedrouter::tokenizer
