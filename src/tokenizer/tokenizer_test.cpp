#include "tokenizer/tokenizer.h"

#include "tokenizer/test_json.h"

#include <gmock/gmock.h>

#include <thread>

namespace embedrouter::tokenizer {
namespace {

using testing::ElementsAre;

class tokenizer_small : public testing::Test {
 protected:
  std::vector<std::uint32_t> ids(std::string_view text) const { return ids_of(*tokenizer_, text); }
  std::pair<std::size_t, std::vector<std::uint32_t>> cut(std::string_view text, std::size_t limit) const {
    std::vector<std::uint32_t> ids{99};  // what is there already stays
    const std::size_t count = tokenizer_->encode(text, ids, limit);
    EXPECT_EQ(ids.front(), 99U);
    ids.erase(ids.begin());
    return {count, ids};
  }

  const std::unique_ptr<const Tokenizer> tokenizer_ = parsed(json_of(small_file()));
};

TEST_F(tokenizer_small, special_tokens_stand_around_every_text) {
  EXPECT_THAT(ids(""), ElementsAre(2, 3));
  EXPECT_THAT(ids(" \n\u200b"), ElementsAre(2, 3));
  EXPECT_THAT(ids("a"), ElementsAre(2, 4, 3));
}

TEST_F(tokenizer_small, padding_and_truncation_of_the_file_are_ignored) {
  EXPECT_THAT(ids("a a a a a a"), ElementsAre(2, 4, 4, 4, 4, 4, 4, 3));
}

TEST_F(tokenizer_small, words_are_pieced_from_the_longest_match) {
  EXPECT_THAT(ids("unaff"), ElementsAre(2, 5, 6, 3));
  EXPECT_THAT(ids("unaab"), ElementsAre(2, 5, 8, 8, 9, 3));
  EXPECT_THAT(ids("a!a"), ElementsAre(2, 4, 12, 4, 3));
  EXPECT_THAT(ids("Café CAFE"), ElementsAre(2, 10, 10, 3));
  EXPECT_THAT(ids("a漢a"), ElementsAre(2, 4, 11, 4, 3));
}

TEST_F(tokenizer_small, a_word_that_cannot_be_covered_is_one_unknown) {
  EXPECT_THAT(ids("unaffx a"), ElementsAre(2, 1, 4, 3));
  EXPECT_THAT(ids("b"), ElementsAre(2, 1, 3)) << "only a continuation is known";
  EXPECT_THAT(ids("affaff aaff"), ElementsAre(2, 15, 6, 4, 6, 3));
}

TEST_F(tokenizer_small, a_word_may_have_as_many_characters_as_the_model_says) {
  EXPECT_THAT(ids("aaaaaaaa"), ElementsAre(2, 17, 3));
  EXPECT_THAT(ids("aaaaaaaaa"), ElementsAre(2, 1, 3));
  EXPECT_THAT(ids("áááááááá"), ElementsAre(2, 17, 3)) << "characters count, after the normalizer, not bytes";
}

TEST_F(tokenizer_small, special_tokens_of_the_text_are_recognised) {
  EXPECT_THAT(ids("a[SEP]a [CLS]"), ElementsAre(2, 4, 3, 4, 2, 3));
  EXPECT_THAT(ids("[sep]"), ElementsAre(2, 1, 1, 1, 3)) << "in their very spelling";
  EXPECT_THAT(ids("un[SEP]aff"), ElementsAre(2, 5, 3, 15, 3)) << "a word ends at them";
}

TEST_F(tokenizer_small, bytes_that_are_no_utf8_are_replacement_characters) {
  EXPECT_THAT(ids("a\xff\xc3"), ElementsAre(2, 4, 3)) << "which cleaning drops";
  EXPECT_THAT(ids("\xe6\xbc[SEP]\x80"), ElementsAre(2, 3, 3));
}

TEST_F(tokenizer_small, a_limit_takes_the_last_tokens_of_the_text) {
  using Cut = std::pair<std::size_t, std::vector<std::uint32_t>>;
  EXPECT_EQ(cut("un a !", 6), Cut(5, {2, 5, 4, 12, 3}));
  EXPECT_EQ(cut("un a !", 5), Cut(5, {2, 5, 4, 12, 3}));
  EXPECT_EQ(cut("un a !", 4), Cut(5, {2, 5, 4, 3}));
  EXPECT_EQ(cut("un a !", 3), Cut(5, {2, 5, 3}));
  EXPECT_EQ(cut("un a !", 2), Cut(5, {2, 3}));
  EXPECT_EQ(cut("un a !", 1), Cut(5, {2}));
  EXPECT_EQ(cut("un a !", 0), Cut(5, {}));
}

TEST_F(tokenizer_small, the_vocabulary_ends_behind_the_highest_id) {
  EXPECT_EQ(tokenizer_->vocabulary_size(), 18U);
}

TEST_F(tokenizer_small, threads_share_one_tokenizer) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      const std::string text(static_cast<std::size_t>(1000 * (thread + 1)), '!');
      for (int i = 0; i < 50; ++i) EXPECT_EQ(ids(text).size(), text.size() + 2);
    });
  }
}

TEST_F(tokenizer_small, a_huge_text_is_read_whole) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "é ";
  EXPECT_EQ(ids(text).size(), 1'000'002U);
  EXPECT_THAT(ids("a"), ElementsAre(2, 4, 3));
}

TEST(tokenizer, stages_may_be_missing) {
  Members members = small_file();
  members["normalizer"] = members["pre_tokenizer"] = members["post_processor"] = "null";
  members["added_tokens"] = "[]";
  const auto tokenizer = parsed(json_of(members));
  EXPECT_THAT(ids_of(*tokenizer, "unaff"), ElementsAre(5, 6));
  EXPECT_THAT(ids_of(*tokenizer, "a a"), ElementsAre(1)) << "one piece with a blank in it";
  EXPECT_THAT(ids_of(*tokenizer, "É"), ElementsAre(13));
  EXPECT_THAT(ids_of(*tokenizer, "##"), ElementsAre(16));
  EXPECT_THAT(ids_of(*tokenizer, ""), ElementsAre());
  members.erase("normalizer");
  members.erase("pre_tokenizer");
  members.erase("post_processor");
  members.erase("added_tokens");
  EXPECT_THAT(ids_of(*parsed(json_of(members)), "unaff"), ElementsAre(5, 6));
}

TEST(tokenizer, accents_go_with_lower_case_unless_the_file_says_otherwise) {
  const auto with = [](const std::string& accents, const std::string& lower) {
    return ids_of(*parsed(small_json("normalizer",
                                     R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars":
        true, "strip_accents": )" + accents +
                                         R"(, "lowercase": )" + lower + "}")),
                  "É Á");
  };
  EXPECT_THAT(with("null", "true"), ElementsAre(2, 1, 4, 3));
  EXPECT_THAT(with("null", "false"), ElementsAre(2, 13, 1, 3));
  EXPECT_THAT(with("false", "true"), ElementsAre(2, 1, 1, 3));
}

TEST(tokenizer, a_template_names_what_stands_around_the_text) {
  const auto tokenizer = parsed(small_json("post_processor", R"({"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "open", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"SpecialToken": {"id": "open", "type_id": 0}}],
    "pair": [], "special_tokens": {"open": {"id": "open", "ids": [2, 0], "tokens": ["[CLS]", "[PAD]"]},
                                   "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}})"));
  EXPECT_THAT(ids_of(*tokenizer, "a"), ElementsAre(2, 0, 4, 3, 2, 0));
  std::vector<std::uint32_t> ids;
  EXPECT_EQ(tokenizer->encode("a a", ids, 6), 7U);
  EXPECT_THAT(ids, ElementsAre(2, 0, 4, 3, 2, 0));
}

TEST(tokenizer, normalized_tokens_are_found_after_the_normalizer) {
  const auto tokenizer = parsed(small_json("added_tokens", R"([
    {"id": 18, "special": false, "content": "Éa", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true},
    {"id": 19, "special": false, "content": "<B>", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false}])"));
  EXPECT_EQ(tokenizer->vocabulary_size(), 20U);
  EXPECT_THAT(ids_of(*tokenizer, "éA ÉÁ ea"), ElementsAre(2, 18, 18, 18, 3));
  EXPECT_THAT(ids_of(*tokenizer, "a <B> <b>"), ElementsAre(2, 4, 19, 1, 1, 1, 3));
}

}  // namespace
}  // namespace embedrouter::tokenizer
