#pragma once
#include <memory>

#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

struct MetaspaceOptions {
  std::string replacement = "\u2581";  // of a blank: one character
  bool prepend = true;                 // one before a text that does not begin with it
  bool split = true;                   // a piece begins at each; else the text is one piece
};

// Sentencepiece's way to keep blanks: they become visible and belong to the word behind them.
class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(MetaspaceOptions options) : options_(std::move(options)) {}
  void cut(std::string_view text, PieceSink& sink) const override;

 private:
  const MetaspaceOptions options_;
};

// Cuts at white space and leaves it out.
class WhitespaceSplit final : public PreTokenizer {
 public:
  void cut(std::string_view text, PieceSink& sink) const override;
};

// Each cuts the pieces of the one before.
class PreTokenizerSequence final : public PreTokenizer {
 public:
  // At least one.
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<const PreTokenizer>> all)
      : all_(std::move(all)) {}
  void cut(std::string_view text, PieceSink& sink) const override { cut_from(0, text, sink); }

 private:
  void cut_from(std::size_t stage, std::string_view text, PieceSink& sink) const;

  const std::vector<std::unique_ptr<const PreTokenizer>> all_;
};

}  // namespace embedrouter::tokenizer
