#pragma once
#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

// Splits at white space, and around every punctuation character.
class BertPreTokenizer final : public PreTokenizer {
 public:
  void cut(std::string_view text, PieceSink& sink) const override;
};

}  // namespace embedrouter::tokenizer
