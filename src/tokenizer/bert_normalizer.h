#pragma once
#include "tokenizer/stages.h"

#include <array>

namespace embedrouter::tokenizer {

struct BertNormalizerOptions {
  bool clean_text = true;            // drop controls, turn every white space into a blank
  bool handle_chinese_chars = true;  // blanks around CJK ideographs
  bool strip_accents = true;         // decompose (NFD), then drop nonspacing marks
  bool lowercase = true;             // code point by code point, so without a final sigma
};

// The reference applies these one after another to the whole text. One pass gives the same, because each
// looks at a single code point, but for the canonical order of marks, which is restored within each run of
// them.
class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(BertNormalizerOptions options);
  void append(std::string_view text, std::string& out) const override;

 private:
  // An ASCII character becomes one or none.
  struct Ascii {
    char becomes;
    bool kept;
  };
  void append_ascii(std::string_view text, std::string& out) const;

  const BertNormalizerOptions options_;
  std::array<Ascii, 128> ascii_;
};

}  // namespace embedrouter::tokenizer
