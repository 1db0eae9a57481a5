#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

inline std::vector<std::string> pieces_of(const PreTokenizer& pre_tokenizer, std::string_view text) {
  struct Sink final : PieceSink {
    void take(std::string_view piece) override { pieces.emplace_back(piece); }
    std::vector<std::string> pieces;
  } sink;
  pre_tokenizer.cut(text, sink);
  return sink.pieces;
}

}  // namespace embedrouter::tokenizer
