// What the stages of the other families do at their edges. families_test.cpp holds them to the reference.
#include "tokenizer/byte_level.h"
#include "tokenizer/double_array.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/precompiled.h"
#include "tokenizer/test_json.h"
#include "tokenizer/test_pieces.h"
#include "tokenizer/unicode_normalizer.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace embedrouter::tokenizer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string normal_form(const Normalizer& normalizer, std::string_view text) {
  std::string out = "before ";
  normalizer.append(text, out);
  EXPECT_EQ(out.substr(0, 7), "before ") << "what was there must stay";
  return out.substr(7);
}

TEST(unicode_normalizer, forms_of_marks_and_hangul) {
  const UnicodeNormalizer nfc(UnicodeForm::nfc), nfd(UnicodeForm::nfd), nfkc(UnicodeForm::nfkc),
      nfkd(UnicodeForm::nfkd);
  EXPECT_EQ(normal_form(nfc, "e\u0301\u0302x"), "\u00e9\u0302x");
  EXPECT_EQ(normal_form(nfc, "q\u0307\u0323"), "q\u0323\u0307");
  EXPECT_EQ(normal_form(nfc, "\u1100\u1161\u11a8\u1100\u1161"), "각가");
  EXPECT_EQ(normal_form(nfc, "\u0301e"), "\u0301e");
  EXPECT_EQ(normal_form(nfd, "ế각"), "e\u0302\u0301\u1100\u1161\u11a8");
  EXPECT_EQ(normal_form(nfkc, "ﬁ①ｅ\u0301"), "fi1é");
  EXPECT_EQ(normal_form(nfkd, "ﬁé"), "fie\u0301");
  EXPECT_EQ(normal_form(nfd, "ﬁ"), "ﬁ");
  EXPECT_EQ(normal_form(nfc, ""), "");
}

TEST(unicode_normalizer, a_very_long_run_of_marks_is_ordered_too) {
  std::string text = "a";
  for (int i = 0; i < 50'000; ++i) text += "\u0315\u0327";
  text += "\u0323";
  std::string low, high;
  for (int i = 0; i < 50'000; ++i) low += "\u0327", high += "\u0315";
  EXPECT_TRUE(normal_form(UnicodeNormalizer(UnicodeForm::nfd), text) == "a" + low + "\u0323" + high);
}

TEST(byte_level, white_space_before_a_word_belongs_to_it_only_as_one_blank) {
  const ByteLevel plain({.add_prefix_space = false});
  EXPECT_THAT(pieces_of(plain, "Hello  big\n\nworld "),
              ElementsAre("Hello", " ", " big", "\n", "\n", "world", " "));
  EXPECT_THAT(pieces_of(plain, "a\n\n b"), ElementsAre("a", "\n\n", " b"));
  EXPECT_THAT(pieces_of(plain, "x \u00a0 y"), ElementsAre("x", " \u00a0", " y"));
  EXPECT_THAT(pieces_of(plain, " \t "), ElementsAre(" \t "));
  EXPECT_THAT(pieces_of(plain, ""), IsEmpty());
}

TEST(byte_level, contractions_numbers_and_symbols_are_pieces) {
  const ByteLevel plain({.add_prefix_space = false});
  EXPECT_THAT(pieces_of(plain, "I'll've 's don'T 12km!?"),
              ElementsAre("I", "'ll", "'ve", " '", "s", " don", "'", "T", " 12", "km", "!?"));
  EXPECT_THAT(pieces_of(plain, "é漢\u0301½٣"), ElementsAre("é漢", "\u0301", "½٣"));
}

TEST(byte_level, a_blank_is_put_before_a_text_without_one) {
  const ByteLevel spaced({});
  EXPECT_THAT(pieces_of(spaced, "a b"), ElementsAre(" a", " b"));
  EXPECT_THAT(pieces_of(spaced, " a"), ElementsAre(" a"));
  EXPECT_THAT(pieces_of(spaced, "\na"), ElementsAre(" ", "\n", "a"));
  EXPECT_THAT(pieces_of(ByteLevel({.use_regex = false}), "a b"), ElementsAre(" a b"));
}

TEST(metaspace, blanks_become_visible_and_begin_pieces) {
  EXPECT_THAT(pieces_of(Metaspace({}), "a  b"), ElementsAre("▁a", "▁", "▁b"));
  EXPECT_THAT(pieces_of(Metaspace({}), " a"), ElementsAre("▁a"));
  EXPECT_THAT(pieces_of(Metaspace({}), "▁a▁b"), ElementsAre("▁a", "▁b"));
  EXPECT_THAT(pieces_of(Metaspace({.prepend = false}), "a b"), ElementsAre("a", "▁b"));
  EXPECT_THAT(pieces_of(Metaspace({.split = false}), "a b"), ElementsAre("▁a▁b"));
  EXPECT_THAT(pieces_of(Metaspace({}), ""), IsEmpty());
}

TEST(graphemes, end_where_unicode_says) {
  const std::pair<std::string, std::size_t> rows[] = {{"ab", 1},
                                                      {"\r\nx", 2},
                                                      {"\n\n", 1},
                                                      {"e\u0301\u0302x", 5},
                                                      {"\u1100\u1161\u11a8x", 9},
                                                      {"각\u11a8", 6},
                                                      {"가\u1100", 3},
                                                      {"\u0600a", 3},
                                                      {"👩\u200d👩\u200d👧x", 18},
                                                      {"a\u200db", 4},
                                                      {"क\u094dषx", 9},
                                                      {"क\u200cषx", 6},
                                                      {"कषx", 3},
                                                      {"\x01\u0301", 1},
                                                      {"©\u200d\u200d©", 8}};
  for (const auto& [text, length] : rows) EXPECT_EQ(cluster_length(text), length) << text;
}

TEST(double_array, agrees_with_a_map_on_random_keys_and_texts) {
  std::mt19937 chance(7);
  const auto word = [&](std::size_t longest) {
    std::string made;
    for (std::size_t i = 1 + chance() % longest; i > 0; --i)
      made += static_cast<char>(chance() % 3 == 0 ? chance() : 'a' + chance() % 4);
    return made;
  };
  std::map<std::string, std::uint32_t, std::less<>> model;
  while (model.size() < 20'000) model.emplace(word(8), static_cast<std::uint32_t>(model.size()));
  model.emplace("ab", 1);
  std::vector<std::pair<std::string_view, std::uint32_t>> entries(model.begin(), model.end());
  const DoubleArray table(std::move(entries));
  for (const auto& [key, value] : model) ASSERT_EQ(table.find(key), value);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = word(9);
    std::vector<std::pair<std::size_t, std::uint32_t>> expected, found;
    for (std::size_t length = 1; length <= text.size(); ++length) {
      if (const auto at = model.find(text.substr(0, length)); at != model.end())
        expected.emplace_back(length, at->second);
    }
    table.each_prefix(text,
                      [&](std::size_t length, std::uint32_t value) { found.emplace_back(length, value); });
    ASSERT_EQ(found, expected);
  }
  EXPECT_EQ(DoubleArray({}).find("a"), DoubleArray::kNone);
}

std::unique_ptr<const Tokenizer> unigram(const std::string& vocab, const std::string& fallback = "false") {
  Members members = small_file();
  members["normalizer"] = members["post_processor"] = "null";
  members["added_tokens"] = "[]";
  members["pre_tokenizer"] = R"({"type": "WhitespaceSplit"})";
  members["model"] = R"({"type": "Unigram", "unk_id": 0, "byte_fallback": )" + fallback +
                     R"(, "vocab": [["?", 0], )" + vocab + "]}";
  return parsed(json_of(members));
}

TEST(unigram, takes_the_way_of_the_highest_score) {
  const auto model = unigram(R"(["a", -1], ["b", -1], ["ab", -1.5], ["abc", -9], ["c", -2], ["é", -1])");
  EXPECT_THAT(ids_of(*model, "abc"), ElementsAre(3, 5));
  EXPECT_THAT(ids_of(*model, "aab é"), ElementsAre(1, 3, 6));
}

TEST(unigram, what_no_token_covers_is_one_unknown) {
  const auto model = unigram(R"(["a", -1], ["xyz", -60])");
  EXPECT_THAT(ids_of(*model, "a漢字a"), ElementsAre(1, 0, 1));
  EXPECT_THAT(ids_of(*model, "漢"), ElementsAre(0));
  EXPECT_THAT(ids_of(*model, "?"), ElementsAre(0)) << "the unknown token's own spelling";
  EXPECT_THAT(ids_of(*model, "xyz"), ElementsAre(2));
}

TEST(unigram, falls_back_to_bytes_where_all_of_them_are_tokens) {
  const auto model = unigram(R"(["<0xC3>", -9], ["<0xA9>", -9], ["a", -1])", "true");
  EXPECT_THAT(ids_of(*model, "aéa"), ElementsAre(3, 1, 2, 3));
  EXPECT_THAT(ids_of(*model, "aèa"), ElementsAre(3, 0, 3)) << "a byte without a token";
}

TEST(unigram, a_huge_piece_is_read_whole) {
  const auto model = unigram(R"(["a", -1], ["aa", -1])");
  EXPECT_EQ(ids_of(*model, std::string(1'000'000, 'a')).size(), 500'000U);
}

}  // namespace
}  // namespace embedrouter::tokenizer
