// Any bytes as a text: tokenized by stages of every option, to ids of the vocabulary.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace {

using embedrouter::tokenizer::Tokenizer;

// An uncased or a cased model, with added tokens of every flag.
std::unique_ptr<const Tokenizer> make(const std::string& on) {
  auto made = Tokenizer::parse(R"({"version": "1.0", "added_tokens": [
      {"id": 1, "content": "[SEP]", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
      {"id": 9, "content": "<a>", "special": false, "single_word": false, "lstrip": true, "rstrip": true, "normalized": false},
      {"id": 10, "content": "Bé", "special": false, "single_word": true, "lstrip": true, "rstrip": false, "normalized": true}],
    "normalizer": {"type": "BertNormalizer", "clean_text": )" +
                               on + R"(, "handle_chinese_chars": )" + on +
                               R"(, "strip_accents": null, "lowercase": )" + on + R"(},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[SEP]", 1]},
    "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
      "vocab": {"?": 0, "[SEP]": 1, "a": 2, "##a": 3, "hello": 4, "##llo": 5, "é": 6, "漢": 7, "he": 8}}})");
  if (!made) std::abort();
  return std::move(*made);
}

void check(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::uint32_t> ids;
  const std::size_t count = tokenizer.encode(text, ids);
  const bool known =
      std::ranges::all_of(ids, [&](std::uint32_t id) { return id < tokenizer.vocabulary_size(); });
  if (count != ids.size() || count < 2 || !known) std::abort();
  std::vector<std::uint32_t> cut;
  if (tokenizer.encode(text, cut, 5) != count || cut.size() != std::min<std::size_t>(count, 5) ||
      cut.back() != 1 || !std::equal(cut.begin(), cut.end() - 1, ids.begin()))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<const Tokenizer> uncased = make("true");
  static const std::unique_ptr<const Tokenizer> raw = make("false");
  // Exactly as long, so that a read behind the end is found.
  const std::vector<char> text(data, data + size);
  check(*uncased, {text.data(), text.size()});
  check(*raw, {text.data(), text.size()});
  return 0;
}
