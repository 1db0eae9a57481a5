#include "tokenizer/test_json.h"

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
      {"normalizer", R"({"type": "NFKC"})",
       R"(normalizer.type is "NFKC", which is not supported. Supported: BertNormalizer)"},
      {"normalizer", R"("NFC")", "normalizer must be an object"},
      {"normalizer", "{}", "normalizer.type must be a string"},
      {"normalizer", R"({"type": "BertNormalizer", "clean_text": 1})",
       "normalizer.clean_text must be true or false"},
      {"pre_tokenizer", R"({"type": "ByteLevel"})",
       R"(pre_tokenizer.type is "ByteLevel", which is not supported)"},
      {"model", R"({"type": "BPE"})", R"(model.type is "BPE", which is not supported. Supported: WordPiece)"},
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
      {"post_processor", R"({"type": "RobertaProcessing"})",
       R"(post_processor.type is "RobertaProcessing", which is not supported. Supported: TemplateProcessing, BertProcessing)"},
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
