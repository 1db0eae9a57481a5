#include "tokenizer/added_tokens.h"

#include <gtest/gtest.h>

namespace embedrouter::tokenizer {
namespace {

// The text with each token found as <id>.
std::string marked(const std::vector<AddedToken>& list, std::string_view text) {
  const AddedTokens tokens(list);
  AddedTokens::Search search(tokens, text);
  std::string out;
  std::string_view between;
  while (const auto id = search.next(between)) out += std::string(between) + "<" + std::to_string(*id) + ">";
  return out + std::string(between);
}

TEST(added_tokens, are_found_anywhere_by_default) {
  const std::vector<AddedToken> tokens{{.content = "[SEP]", .id = 2}, {.content = "[MASK]", .id = 3}};
  EXPECT_EQ(marked(tokens, "a[SEP]b [MASK] c"), "a<2>b <3> c");
  EXPECT_EQ(marked(tokens, "[SEP][SEP]"), "<2><2>");
  EXPECT_EQ(marked(tokens, "[[SEP]]"), "[<2>]");
  EXPECT_EQ(marked(tokens, "[MA[MASK]SK]"), "[MA<3>SK]");
  EXPECT_EQ(marked(tokens, "[SEP [sep]"), "[SEP [sep]");
  EXPECT_EQ(marked(tokens, ""), "");
}

TEST(added_tokens, without_any_the_text_stays_whole) {
  EXPECT_EQ(marked({}, "a [SEP]"), "a [SEP]");
}

TEST(added_tokens, the_leftmost_wins_then_the_longest) {
  const std::vector<AddedToken> tokens{{.content = "ab", .id = 1},
                                       {.content = "abcd", .id = 2},
                                       {.content = "bcdef", .id = 3},
                                       {.content = "é", .id = 4}};
  EXPECT_EQ(marked(tokens, "abc"), "<1>c");
  EXPECT_EQ(marked(tokens, "abcdef"), "<2>ef");
  EXPECT_EQ(marked(tokens, "xbcdef"), "x<3>");
  EXPECT_EQ(marked(tokens, "éab"), "<4><1>");
}

TEST(added_tokens, a_single_word_has_no_word_character_beside_it) {
  const std::vector<AddedToken> tokens{{.content = "cat", .id = 1, .single_word = true}};
  EXPECT_EQ(marked(tokens, "cat"), "<1>");
  EXPECT_EQ(marked(tokens, "a cat, cat"), "a <1>, <1>");
  for (const char* text : {"cats", "bobcat", "cat_", "écat", "cat漢", "cat\u0301", "cat1", "catcat"})
    EXPECT_EQ(marked(tokens, text), text);
  EXPECT_EQ(marked(tokens, "€cat€"), "€<1>€");
}

TEST(added_tokens, strip_takes_the_white_space_of_its_side) {
  EXPECT_EQ(marked({{.content = "x", .id = 1, .lstrip = true}}, "a \u3000x b"), "a<1> b");
  EXPECT_EQ(marked({{.content = "x", .id = 1, .rstrip = true}}, "a x\u00a0\n b"), "a <1>b");
  EXPECT_EQ(marked({{.content = "x", .id = 1, .lstrip = true, .rstrip = true}}, "a x  x  b"), "a<1><1>b");
  EXPECT_EQ(marked({{.content = "x", .id = 1, .lstrip = true, .rstrip = true}}, "  x  "), "<1>");
}

TEST(added_tokens, white_space_that_one_token_took_is_no_other) {
  const std::vector<AddedToken> tokens{{.content = "x", .id = 1, .rstrip = true},
                                       {.content = "\n", .id = 2, .lstrip = true}};
  EXPECT_EQ(marked(tokens, "x \nb"), "<1>b");
  EXPECT_EQ(marked(tokens, "x \n b"), "<1>b") << "the reference itself cannot read this one";
  EXPECT_EQ(marked(tokens, "x b \n"), "<1>b<2>");
}

}  // namespace
}  // namespace embedrouter::tokenizer
