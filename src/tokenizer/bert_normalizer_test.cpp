#include "tokenizer/bert_normalizer.h"

#include <gtest/gtest.h>

#include <string>

namespace embedrouter::tokenizer {
namespace {

using namespace std::string_literals;

constexpr BertNormalizerOptions kNothing{
    .clean_text = false, .handle_chinese_chars = false, .strip_accents = false, .lowercase = false};

BertNormalizerOptions with(bool BertNormalizerOptions::* option) {
  BertNormalizerOptions options = kNothing;
  options.*option = true;
  return options;
}

std::string normal_form(std::string_view text, BertNormalizerOptions options = {}) {
  std::string out = "before ";
  BertNormalizer(options).append(text, out);
  EXPECT_EQ(out.substr(0, 7), "before ") << "what was there must stay";
  return out.substr(7);
}

TEST(bert_normalizer, changes_nothing_when_all_is_off) {
  const std::string text = "Ab\0\t\v\u00adé e\u0301 漢 각\u0315\u0300 \ufffd\u3000İ"s;
  EXPECT_EQ(normal_form(text, kNothing), text);
}

TEST(bert_normalizer, cleaning_drops_controls_and_makes_white_space_blanks) {
  const auto clean = with(&BertNormalizerOptions::clean_text);
  EXPECT_EQ(normal_form("a\0b\x07"
                        "c\x7f\ufffd\u00ad\u200d\ufeff\ue000"s,
                        clean),
            "abc");
  EXPECT_EQ(normal_form("a\tb\nc\rd\u00a0e\u2028f\u3000g", clean), "a b c d e f g");
  EXPECT_EQ(normal_form("a\v\f\u0085z", clean), "az") << "white space that is a control goes";
  EXPECT_EQ(normal_form("\u0378\U0001FFFE\U0010FFFF", clean), "\u0378\U0001FFFE\U0010FFFF")
      << "unassigned stays";
  EXPECT_EQ(normal_form("É漢", clean), "É漢");
}

TEST(bert_normalizer, ideographs_get_blanks_around) {
  const auto spaced = with(&BertNormalizerOptions::handle_chinese_chars);
  EXPECT_EQ(normal_form("a漢字b", spaced), "a 漢  字 b");
  EXPECT_EQ(normal_form("\u3400\u4dbf\u9fff\U00020000\U0002CEAF\uf900", spaced),
            " \u3400  \u4dbf  \u9fff  \U00020000  \U0002CEAF  \uf900 ");
  EXPECT_EQ(normal_form("かな가々\U00030000", spaced), "かな가々\U00030000") << "no ideographs to BERT";
}

TEST(bert_normalizer, stripping_decomposes_and_drops_nonspacing_marks) {
  const auto strip = with(&BertNormalizerOptions::strip_accents);
  EXPECT_EQ(normal_form("Éé\u1ebf ñ", strip), "Eee n");
  EXPECT_EQ(normal_form("e\u0301\u0302", strip), "e");
  EXPECT_EQ(normal_form("\u037e\u212b\u2260", strip), ";A=");
  EXPECT_EQ(normal_form("가각", strip), "\u1100\u1161\u1100\u1161\u11a8");
  EXPECT_EQ(normal_form("ﬁ²", strip), "ﬁ²") << "compatibility forms stay";
  EXPECT_EQ(normal_form("\u0915\u093f", strip), "\u0915\u093f") << "spacing marks stay";
}

TEST(bert_normalizer, marks_that_stay_are_put_in_canonical_order) {
  const auto strip = with(&BertNormalizerOptions::strip_accents);
  // U+1D165 has class 216, U+302E class 224, U+1D16D class 226; none is nonspacing. U+0334 is, and ends
  // nothing.
  EXPECT_EQ(normal_form("a\u302e\U0001D165z", strip), "a\U0001D165\u302ez");
  EXPECT_EQ(normal_form("a\U0001D16D\u302e\U0001D165", strip), "a\U0001D165\u302e\U0001D16D");
  EXPECT_EQ(normal_form("a\u302e\u0334\U0001D165z", strip), "a\U0001D165\u302ez");
  EXPECT_EQ(normal_form("a\u302eb\U0001D165", strip), "a\u302eb\U0001D165");
  EXPECT_EQ(normal_form("a\u302e가\U0001D165", strip), "a\u302e\u1100\u1161\U0001D165");
  // A mark of class 0 that is dropped still parts two runs; a control that was cleaned away before does not.
  EXPECT_EQ(normal_form("a\u302e\u0903\U0001D165", strip), "a\u302e\u0903\U0001D165");
  EXPECT_EQ(normal_form("a\u302e\u0488\U0001D165", strip), "a\u302e\u0488\U0001D165");
  EXPECT_EQ(normal_form("a\u302e\u034f\U0001D165", strip), "a\u302e\U0001D165");
  EXPECT_EQ(normal_form("a\u302e\u00ad\U0001D165"), "a\U0001D165\u302e");
  EXPECT_EQ(normal_form("a\u302e\x01\U0001D165"), "a\U0001D165\u302e");
}

TEST(bert_normalizer, a_very_long_run_of_marks_is_ordered_too) {
  std::string text = "a";
  std::string expected = "a";
  constexpr int kPairs = 50'000;
  for (int i = 0; i < kPairs; ++i) text += "\u302e\U0001D165";
  for (int i = 0; i < kPairs; ++i) expected += "\U0001D165";
  for (int i = 0; i < kPairs; ++i) expected += "\u302e";
  EXPECT_TRUE(normal_form(text, with(&BertNormalizerOptions::strip_accents)) == expected);
}

TEST(bert_normalizer, lower_case_goes_code_point_by_code_point) {
  const auto lower = with(&BertNormalizerOptions::lowercase);
  EXPECT_EQ(normal_form("AZ ÉÀ ЁЖ", lower), "az éà ёж");
  EXPECT_EQ(normal_form("İ", lower), "i\u0307");
  EXPECT_EQ(normal_form("ΑΣ", lower), "ασ") << "no final sigma";
  EXPECT_EQ(normal_form("ẞK\u2160Ⓐ\U00010400", lower), "ßk\u2170ⓐ\U00010428");
}

TEST(bert_normalizer, all_together_as_an_uncased_model_asks) {
  EXPECT_EQ(normal_form("İstanbul\tÉté 漢"), "istanbul ete  漢 ");
  EXPECT_EQ(normal_form(""), "");
  EXPECT_EQ(normal_form("\u0301\u200b"), "");
}

}  // namespace
}  // namespace embedrouter::tokenizer
