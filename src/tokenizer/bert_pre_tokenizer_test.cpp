#include "tokenizer/bert_pre_tokenizer.h"

#include "tokenizer/test_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace embedrouter::tokenizer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> pieces(std::string_view text) {
  return pieces_of(BertPreTokenizer(), text);
}

TEST(bert_pre_tokenizer, splits_at_white_space_of_any_kind) {
  EXPECT_THAT(pieces(" one\ttwo\n\n three\v\u00a0four\u3000\u2028five "),
              ElementsAre("one", "two", "three", "four", "five"));
}

TEST(bert_pre_tokenizer, every_punctuation_character_stands_alone) {
  EXPECT_THAT(pieces("Hey, you!?"), ElementsAre("Hey", ",", "you", "!", "?"));
  EXPECT_THAT(pieces("a—b«c»。d"), ElementsAre("a", "—", "b", "«", "c", "»", "。", "d"));
  EXPECT_THAT(pieces("$a^b`"), ElementsAre("$", "a", "^", "b", "`")) << "every ASCII symbol counts";
  EXPECT_THAT(pieces("€a©b"), ElementsAre("€a©b")) << "other symbols do not";
}

TEST(bert_pre_tokenizer, nothing_comes_of_nothing) {
  EXPECT_THAT(pieces(""), IsEmpty());
  EXPECT_THAT(pieces(" \u3000\n"), IsEmpty());
}

TEST(bert_pre_tokenizer, a_control_that_is_no_white_space_is_a_letter) {
  EXPECT_THAT(pieces(std::string_view("a\0b\x01", 4)), ElementsAre(std::string("a\0b\x01", 4)));
}

}  // namespace
}  // namespace embedrouter::tokenizer
