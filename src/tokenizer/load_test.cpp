#include "tokenizer/byte_pairs.h"
#include "tokenizer/test_json.h"
#include "tokenizer/unicode.h"

#include <gmock/gmock.h>

#include <fstream>

namespace embedrouter::tokenizer {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(std::string_view json) {
  const auto tokenizer = Tokenizer::parse(json);
  return tokenizer ? "accepted" : tokenizer.error().message();
}

std::string added(const std::string& members) {
  return R"([{"special": false, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, )" +
         members + "}]";
}

std::string model(const std::string& members) {
  return R"({"type": "WordPiece", "continuing_subword_prefix": "##", )" + members + "}";
}

TEST(tokenizer_load, every_refusal_names_the_member_and_what_it_asks_for) {
  struct Row {
    const char* member;
    std::string value;
    const char* says;
  };
  const Row rows[] = {
      {"version", R"("2.0")", R"(version is "2.0", which is not supported. Supported: 1.0)"},
      {"version", "1", "version must be a string"},
      {"normalizer", R"({"type": "Nmt"})",
       R"(normalizer.type is "Nmt", which is not supported. Supported: BertNormalizer, Lowercase, NFC,)"},
      {"normalizer", R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmt"}]})",
       R"(normalizer.normalizers[1].type is "Nmt", which is not supported)"},
      {"normalizer", R"({"type": "Sequence", "normalizers": {}})", "normalizer.normalizers must be a list"},
      {"normalizer", R"({"type": "Sequence", "normalizers": [1]})",
       "normalizer.normalizers[0] must be an object"},
      {"normalizer", R"({"type": "Strip", "strip_left": true})",
       "normalizer.strip_right must be true or false"},
      {"normalizer", R"({"type": "Replace", "pattern": {"Regex": "a|b"}, "content": ""})",
       R"(normalizer.pattern.Regex is "a|b", which is not supported. Supported: one character or set)"},
      {"normalizer", R"({"type": "Replace", "pattern": {"Regex": "[a-z]"}, "content": ""})",
       R"(normalizer.pattern.Regex is "[a-z]")"},
      {"normalizer", R"({"type": "Replace", "pattern": {"Regex": " {0,2}"}, "content": ""})",
       R"(normalizer.pattern.Regex is " {0,2}")"},
      {"normalizer", R"({"type": "Replace", "pattern": {"Regex": "\\d"}, "content": ""})",
       R"(normalizer.pattern.Regex is "\d")"},
      {"normalizer", R"({"type": "Replace", "pattern": {"Regex": "x*"}, "content": ""})",
       R"(normalizer.pattern.Regex is "x*")"},
      {"normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})",
       "normalizer.pattern.String must not be empty"},
      {"normalizer",
       R"({"type": "Replace", "pattern": {"String": "a"}, "content": ")" + std::string(65, 'a') + "\"}",
       "normalizer.content is longer than 64 bytes"},
      {"normalizer",
       R"({"type": "Sequence", "normalizers": [
           {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaa"},
           {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaa"}]})",
       "normalizer makes a text more than 64 times as long"},
      {"normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "AAA"})",
       "normalizer.precompiled_charsmap is not base64"},
      {"normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "AA=="})",
       "normalizer.precompiled_charsmap is shorter than its header"},
      {"normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "CAAAAAAAAAA="})",
       "normalizer.precompiled_charsmap is shorter than its header says"},
      {"normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAA="})",
       "normalizer.precompiled_charsmap does not end with texts"},
      {"normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "BAAAAAkAAIAA"})",
       "normalizer.precompiled_charsmap holds a value outside its texts"},
      {"normalizer", R"("NFC")", "normalizer must be an object"},
      {"normalizer", "{}", "normalizer.type must be a string"},
      {"normalizer", R"({"type": "BertNormalizer", "clean_text": 1})",
       "normalizer.clean_text must be true or false"},
      {"pre_tokenizer", R"({"type": "Whitespace"})",
       R"(pre_tokenizer.type is "Whitespace", which is not supported)"},
      {"pre_tokenizer", R"({"type": "ByteLevel"})", "pre_tokenizer.add_prefix_space must be true or false"},
      {"pre_tokenizer", R"({"type": "ByteLevel", "add_prefix_space": true})",
       "model.type BPE and the pre_tokenizer ByteLevel are supported together only"},
      {"pre_tokenizer", R"({"type": "Sequence", "pretokenizers": []})",
       "pre_tokenizer.pretokenizers is empty"},
      {"pre_tokenizer",
       R"({"type": "Sequence", "pretokenizers": [{"type": "Sequence", "pretokenizers": []}]})",
       R"(pre_tokenizer.pretokenizers[0].type is "Sequence", which is not supported)"},
      {"pre_tokenizer",
       R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": true},
                           {"type": "WhitespaceSplit"}]})",
       "pre_tokenizer.pretokenizers has a stage behind ByteLevel"},
      {"pre_tokenizer", R"({"type": "Metaspace", "replacement": "__"})",
       "pre_tokenizer.replacement must be one character"},
      {"pre_tokenizer", R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "first"})",
       R"(pre_tokenizer.prepend_scheme is "first", which is not supported. Supported: always, never)"},
      {"pre_tokenizer",
       R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "add_prefix_space": false})",
       "pre_tokenizer.prepend_scheme contradicts add_prefix_space"},
      {"model", R"({"type": "WordLevel"})",
       R"(model.type is "WordLevel", which is not supported. Supported: WordPiece, BPE, Unigram)"},
      {"model", R"({"type": "BPE"})",
       "model.type BPE and the pre_tokenizer ByteLevel are supported together only"},
      {"model", R"({"type": "Unigram", "unk_id": 0, "vocab": []})", "model.vocab is empty"},
      {"model", R"({"type": "Unigram", "unk_id": 0, "vocab": [["a", -1], ["b"]]})",
       "model.vocab[1] must be a token and its score"},
      {"model", R"({"type": "Unigram", "unk_id": 0, "vocab": [["", -1]]})",
       "model.vocab[0] must have 1 to 512 bytes"},
      {"model", R"({"type": "Unigram", "unk_id": 0, "vocab": [["a", -1], ["b", -1], ["a", -2]]})",
       R"(model.vocab has "a" twice)"},
      {"model", R"({"type": "Unigram", "unk_id": 2, "vocab": [["a", -1], ["b", -1]]})",
       "model.unk_id must be a whole number from 0 to 1"},
      {"model", R"({"type": "Unigram", "unk_id": null, "vocab": [["a", -1]]})",
       "model.unk_id must be a whole number"},
      {"model", "null", "model must be an object"},
      {"model", model(R"("max_input_chars_per_word": -1)"),
       "model.max_input_chars_per_word must be a whole number from 0"},
      {"model", model(R"("max_input_chars_per_word": 9, "unk_token": "u", "vocab": {"a": 1.5})"),
       R"(model.vocab."a" must be a whole number)"},
      {"model", model(R"("max_input_chars_per_word": 9, "unk_token": "u", "vocab": {"a": 4294967295})"),
       R"(model.vocab."a" must be a whole number from 0 to 2147483646)"},
      {"model", model(R"("max_input_chars_per_word": 9, "unk_token": "u", "vocab": {"u": 1, "u": 2})"),
       R"(model.vocab."u" is there twice)"},
      {"model",
       model(R"("max_input_chars_per_word": 9, "unk_token": "u", "vocab": {"u": 1, ")" +
             std::string(600, 'x') + R"(": 2})"),
       "is longer than 512 bytes"},
      {"model", model(R"("max_input_chars_per_word": 9, "unk_token": "u", "vocab": {"a": 1})"),
       R"(model.unk_token is "u", which model.vocab does not hold)"},
      {"model", model(R"("max_input_chars_per_word": 9, "unk_token": "u", "vocab": [])"),
       "model.vocab must be an object"},
      {"post_processor", R"({"type": "Other"})",
       R"(post_processor.type is "Other", which is not supported. Supported: TemplateProcessing, BertProcessing, RobertaProcessing)"},
      {"post_processor", R"({"type": "RobertaProcessing"})", "post_processor.cls must be a list"},
      {"post_processor",
       R"({"type": "Sequence", "processors": [{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
                                              {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}]})",
       "post_processor.processors has two that add tokens"},
      {"post_processor", R"({"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "Other"}]})",
       R"(post_processor.processors[1].type is "Other")"},
      {"post_processor", R"({"type": "BertProcessing", "cls": ["[CLS]"]})",
       "post_processor.cls[1] must be an id of the vocabulary"},
      {"post_processor", R"({"type": "TemplateProcessing", "single": [], "special_tokens": {}})",
       R"(post_processor.single must hold the sequence "A" once)"},
      {"post_processor",
       R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": {}})",
       R"(post_processor.single names the sequence "B")"},
      {"post_processor",
       R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 1}}], "special_tokens": {}})",
       "post_processor.single[0].Sequence.type_id must be a whole number from 0 to 0"},
      {"post_processor",
       R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}], "special_tokens": {}})",
       "post_processor.special_tokens.x is missing"},
      {"post_processor", R"({"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 18]})",
       "post_processor.sep[1] must be an id of the vocabulary"},
      {"post_processor",
       R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}],
           "special_tokens": {"x": {"id": "x", "ids": [3, 18], "tokens": ["x"]}}})",
       "post_processor.special_tokens.x.ids[1] must be an id of the vocabulary"},
      {"added_tokens", "{}", "added_tokens must be a list"},
      {"added_tokens", "[1]", "added_tokens[0] must be an object"},
      {"added_tokens", added(R"("content": "", "id": 18)"),
       "added_tokens[0].content must have 1 to 512 bytes"},
      {"added_tokens", added(R"("content": "\u0301", "id": 18)"),
       "added_tokens[0].content must have 1 to 512 bytes after the normalizer"},
      {"added_tokens", added(R"("content": "a", "id": 5)"),
       R"(added_tokens[0].id is 5, but "a" has the id 4 in model.vocab)"},
      {"added_tokens", added(R"("content": "new", "id": 20)"),
       R"(added_tokens[0].id is 20, but "new" has the id 18, the next one behind model.vocab)"},
      {"added_tokens", R"([{"content": "a", "id": 4}])", "added_tokens[0].normalized must be true or false"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(refusal(small_json(row.member, row.value)), HasSubstr(row.says)) << row.value;
}

// A byte-level file, `model` with what is given in the place of its merges and after.
std::string byte_level(const std::string& model, const std::string& leave_out = "") {
  std::string vocab;
  for (std::uint32_t c = 33; c < 324; ++c) {
    std::string letter;
    unicode::append_utf8(letter, c);
    if (byte_of_letter(c) < 0 || letter == leave_out) continue;
    if (!vocab.empty()) vocab += ", ";
    vocab += c == '"' || c == '\\' ? "\"\\" : "\"";
    vocab += letter + "\": " + std::to_string(c);
  }
  Members members = small_file();
  members["pre_tokenizer"] = R"({"type": "ByteLevel", "add_prefix_space": false})";
  members["added_tokens"] = "[]";
  members["post_processor"] = "null";
  members["model"] =
      R"({"type": "BPE", "vocab": {)" + vocab + R"(, "ab": 400, "<x y>": 401}, )" + model + "}";
  return json_of(members);
}

TEST(tokenizer_load, byte_level_files_are_refused_by_member) {
  const std::pair<std::string, const char*> rows[] = {
      {byte_level(R"("merges": ["a b"])"), "accepted"},
      {byte_level(
           R"("merges": [["a", "b"]], "dropout": null, "end_of_word_suffix": "", "byte_fallback": false)"),
       "accepted"},
      {byte_level(R"("merges": ["a b"], "dropout": 0.1)"), "model.dropout is not supported"},
      {byte_level(R"("merges": ["a b"], "end_of_word_suffix": "</w>")"),
       "model.end_of_word_suffix is not supported"},
      {byte_level(R"("merges": ["a b"], "byte_fallback": true)"), "model.byte_fallback is not supported"},
      {byte_level(R"("merges": ["a"])"), "model.merges[0] must be two tokens"},
      {byte_level(R"("merges": ["a b", "a b c"])"), "model.merges[1] must be two tokens"},
      {byte_level(R"("merges": [["a"]])"), "model.merges[0] must be two tokens"},
      {byte_level(R"("merges": ["b a"])"), "model.merges[0] is of tokens that model.vocab does not hold"},
      {byte_level(R"("merges": ["a ab"])"), "model.merges[0] is of tokens that model.vocab does not hold"},
      {byte_level(R"("merges": [], "ignore_merges": 1)"), "model.ignore_merges must be true or false"},
      {byte_level(R"("merges": [])", "a"), "model.vocab lacks the letter of the byte 97"},
  };
  for (const auto& [json, says] : rows)
    EXPECT_EQ(refusal(json).substr(0, std::string_view(says).size()), says);
}

TEST(tokenizer_load, the_same_added_token_twice_is_refused) {
  const std::string one = added(R"("content": "a", "id": 4)");
  const std::string twice = one.substr(0, one.size() - 1) + ", " + one.substr(1);
  EXPECT_EQ(refusal(small_json("added_tokens", twice)), "added_tokens[1].content is there twice");
}

TEST(tokenizer_load, added_tokens_of_one_normal_form_are_refused) {
  const std::string one = added(R"("content": "a", "id": 4)");
  const std::string other = added(R"("content": "\u00C1", "id": 18)");
  EXPECT_EQ(refusal(small_json("added_tokens", one.substr(0, one.size() - 1) + ", " + other.substr(1))),
            "added_tokens[1].content has the normal form of another added token");
}

TEST(tokenizer_load, a_template_may_put_64_tokens_before_a_text) {
  const auto with = [](int count) {
    std::string ids = "3";
    for (int i = 1; i < count; ++i) ids += ", 3";
    return refusal(small_json("post_processor", R"({"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"x": {"id": "x", "tokens": [], "ids": [)" +
                                                    ids + "]}}}"));
  };
  EXPECT_EQ(with(64), "accepted");
  EXPECT_EQ(with(65), "post_processor puts more than 64 tokens beside a text");
}

TEST(tokenizer_load, long_names_are_cut_in_messages) {
  std::string type;
  for (int i = 0; i < 100; ++i) type += "漢";
  const std::string message = refusal(small_json("model", R"({"type": ")" + type + R"("})"));
  EXPECT_THAT(message, HasSubstr("漢…\", which is not supported"));
  EXPECT_LT(message.size(), 200U);
}

TEST(tokenizer_load, what_is_no_json_object_is_refused) {
  EXPECT_THAT(refusal(""), StartsWith("not valid JSON"));
  EXPECT_THAT(refusal("{\"version\": "), StartsWith("not valid JSON"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), StartsWith("not valid JSON"));
  EXPECT_EQ(refusal("[]"), "the file must be an object");
}

TEST(tokenizer_load, every_cut_of_the_file_is_refused) {
  const std::string json = json_of(small_file());
  for (std::size_t length = 0; length < json.size(); ++length)
    ASSERT_NE(refusal(std::string_view(json).substr(0, length)), "accepted") << length;
}

TEST(tokenizer_load, a_file_is_named_in_its_refusal) {
  const auto missing = std::filesystem::path(testing::TempDir()) / "no such folder" / "tokenizer.json";
  const auto absent = Tokenizer::load(missing);
  ASSERT_FALSE(absent.has_value());
  EXPECT_THAT(absent.error().message(), StartsWith(missing.string() + ": cannot be read"));

  const auto folder = Tokenizer::load(testing::TempDir());
  ASSERT_FALSE(folder.has_value());
  EXPECT_THAT(folder.error().message(), HasSubstr(": cannot be read"));

  const auto path = std::filesystem::path(testing::TempDir()) / "embedrouter_tokenizer_load_test.json";
  std::ofstream(path) << json_of(small_file());
  EXPECT_TRUE(Tokenizer::load(path).has_value());
  std::ofstream(path) << "[]";
  const auto wrong = Tokenizer::load(path);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().message(), path.string() + ": the file must be an object");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace embedrouter::tokenizer
