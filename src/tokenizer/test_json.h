#pragma once
// A small tokenizer.json for tests, one member of it replaced at a time.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace embedrouter::tokenizer {

using Members = std::map<std::string, std::string>;

// Of the file; the values are JSON.
inline Members small_file() {
  return {
      {"version", R"("1.0")"},
      {"truncation", R"({"max_length": 4, "strategy": "LongestFirst", "stride": 0})"},
      {"padding", R"({"strategy": {"Fixed": 4}, "pad_id": 0})"},
      {"added_tokens", R"([
        {"id": 2, "special": true, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
        {"id": 3, "special": true, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}])"},
      {"normalizer", R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                         "strip_accents": null, "lowercase": true})"},
      {"pre_tokenizer", R"({"type": "BertPreTokenizer"})"},
      {"post_processor", R"({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]})"},
      {"decoder", R"({"type": "WordPiece"})"},
      {"model", R"({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 8, "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3,
                    "a": 4, "un": 5, "##aff": 6, "##able": 7, "##a": 8, "##b": 9, "cafe": 10, "漢": 11, "!": 12,
                    "É": 13, "##un": 14, "aff": 15, "##": 16, "aaaaaaaa": 17}})"},
  };
}

inline std::string json_of(const Members& members) {
  std::string json = "{";
  for (const auto& [name, value] : members) {
    if (json.size() > 1) json += ", ";
    json += '"' + name + "\": " + value;
  }
  return json + "}";
}

inline std::string small_json(const std::string& member, const std::string& value) {
  Members members = small_file();
  members[member] = value;
  return json_of(members);
}

inline std::unique_ptr<const Tokenizer> parsed(std::string_view json) {
  auto tokenizer = Tokenizer::parse(json);
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().message());
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

inline std::vector<std::uint32_t> ids_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::uint32_t> ids;
  const std::size_t count = tokenizer.encode(text, ids);
  EXPECT_EQ(count, ids.size());
  return ids;
}

}  // namespace embedrouter::tokenizer
