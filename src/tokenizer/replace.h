#pragma once
#include <embedrouter/result.h>

#include "tokenizer/stages.h"

namespace embedrouter::tokenizer {

// What a Replace looks for: a string, or of the regular expressions those that tokenizers are written with,
// one set of characters some times: `[\n\r\t]`, ` {2,}`, `\s+`.
class Pattern {
 public:
  // Not empty, or it would be found everywhere.
  static Result<Pattern> literal(std::string_view text);
  static Result<Pattern> regex(std::string_view expression);

  // The bytes of the match at the start of `text`, 0 for none.
  std::size_t match(std::string_view text) const noexcept;
  // The fewest bytes that match.
  std::size_t least() const noexcept;

 private:
  bool holds(char32_t c) const noexcept;

  std::string literal_;
  std::u32string set_;
  bool whitespace_ = false;  // \s, beside the set
  bool negated_ = false;
  std::size_t least_ = 1, most_ = 1;  // characters of the set
};

// Replaces every match, from the left.
class Replace final : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content);
  void append(std::string_view text, std::string& out) const override;
  std::size_t growth() const override;

 private:
  const Pattern pattern_;
  const std::string content_;
};

}  // namespace embedrouter::tokenizer
