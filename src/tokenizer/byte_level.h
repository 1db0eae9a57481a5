#pragma once
#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

struct ByteLevelOptions {
  bool add_prefix_space = true;  // before a text that does not begin with one
  bool use_regex = true;         // cut into words; else the text is one piece
};

// GPT-2's way to cut: contractions, words, numbers and runs of symbols with the blank before them, white
// space. Its pieces are bytes of the text; the letters that the file writes them with are left to the reader
// of the vocabulary (byte_letters.h).
class ByteLevel final : public PreTokenizer {
 public:
  explicit ByteLevel(ByteLevelOptions options) : options_(options) {}
  void cut(std::string_view text, PieceSink& sink) const override;

 private:
  const ByteLevelOptions options_;
};

}  // namespace embedrouter::tokenizer
