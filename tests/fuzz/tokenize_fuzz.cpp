// Any bytes as a text: tokenized by stages of every option, to ids of the vocabulary.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/byte_pairs.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode.h"

namespace {

using embedrouter::tokenizer::Tokenizer;

std::unique_ptr<const Tokenizer> parsed(const std::string& json) {
  auto made = Tokenizer::parse(json);
  if (!made) std::abort();
  return std::move(*made);
}

// Sentencepiece's stages, with every normalizer that changes lengths before them.
std::unique_ptr<const Tokenizer> make_unigram() {
  return parsed(R"({"version": "1.0", "added_tokens": [
      {"id": 1, "content": "</s>", "special": true, "single_word": false, "lstrip": true, "rstrip": false, "normalized": false}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": true, "strip_right": true},
      {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "NFC"}, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "x"},
      {"type": "Replace", "pattern": {"Regex": "\\s{2,}"}, "content": " "}]},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
      {"type": "Metaspace", "replacement": "\u2581"}]},
    "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["</s>", 1]},
    "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["?", 0], ["</s>", 0], ["a", -1], ["\u2581", -2],
      ["\u2581a", -2.5], ["he", -3], ["hello", -4], ["<0xE2>", -5], ["<0x82>", -5], ["<0xAC>", -5]]}})");
}

std::unique_ptr<const Tokenizer> make_byte_pairs() {
  using namespace embedrouter::tokenizer;
  std::string vocab;
  for (char32_t c = 33; c < 324; ++c) {
    if (byte_of_letter(c) < 0) continue;
    vocab += std::string(c == '"' || c == '\\' ? "\"\\" : "\"");
    unicode::append_utf8(vocab, c);
    vocab += "\": " + std::to_string(c) + ", ";
  }
  return parsed(R"({"version": "1.0", "added_tokens": [
      {"id": 1, "content": "</s>", "special": true, "single_word": false, "lstrip": false, "rstrip": true, "normalized": false}],
    "normalizer": {"type": "NFKC"}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true},
    "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["</s>", 1]},
    "model": {"type": "BPE", "merges": ["a b", "ab ab", "l l", "h e", "he ll"], "vocab": {)" +
                vocab + R"("</s>": 1, "ab": 400, "abab": 401, "ll": 402, "he": 403, "hell": 404}}})");
}

// An uncased or a cased model, with added tokens of every flag.
std::unique_ptr<const Tokenizer> make(const std::string& on) {
  return parsed(R"({"version": "1.0", "added_tokens": [
      {"id": 1, "content": "[SEP]", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
      {"id": 9, "content": "<a>", "special": false, "single_word": false, "lstrip": true, "rstrip": true, "normalized": false},
      {"id": 10, "content": "Bé", "special": false, "single_word": true, "lstrip": true, "rstrip": false, "normalized": true}],
    "normalizer": {"type": "BertNormalizer", "clean_text": )" +
                on + R"(, "handle_chinese_chars": )" + on + R"(, "strip_accents": null, "lowercase": )" + on +
                R"(},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[SEP]", 1]},
    "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
      "vocab": {"?": 0, "[SEP]": 1, "a": 2, "##a": 3, "hello": 4, "##llo": 5, "é": 6, "漢": 7, "he": 8}}})");
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
  static const std::unique_ptr<const Tokenizer> unigram = make_unigram();
  static const std::unique_ptr<const Tokenizer> byte_pairs = make_byte_pairs();
  check(*unigram, {text.data(), text.size()});
  check(*byte_pairs, {text.data(), text.size()});
  return 0;
}
