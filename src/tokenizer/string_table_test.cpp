#include "tokenizer/string_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace embedrouter::tokenizer {
namespace {

TEST(string_table, finds_what_was_inserted_and_nothing_else) {
  StringTable table(3);
  EXPECT_TRUE(table.insert("a", 7));
  EXPECT_TRUE(table.insert("ab", 8));
  EXPECT_TRUE(table.insert("é", 9));
  EXPECT_FALSE(table.insert("ab", 10));
  EXPECT_EQ(table.find("a"), 7U);
  EXPECT_EQ(table.find("ab"), 8U);
  EXPECT_EQ(table.find("é"), 9U);
  EXPECT_EQ(table.find("b"), StringTable::kNone);
  EXPECT_EQ(table.find(""), StringTable::kNone);
  EXPECT_EQ(table.size(), 3U);
}

TEST(string_table, an_empty_table_matches_nothing) {
  const StringTable table(0);
  EXPECT_EQ(table.find("a"), StringTable::kNone);
  EXPECT_EQ(table.longest_prefix("a").length, 0U);
}

TEST(string_table, the_longest_key_may_be_512_bytes) {
  StringTable table(1);
  const std::string key(StringTable::kMaxLength, 'x');
  ASSERT_TRUE(table.insert(key, 1));
  EXPECT_EQ(table.longest_prefix(key + "xyz").length, StringTable::kMaxLength);
  EXPECT_EQ(table.longest_prefix(key.substr(1)).length, 0U);
}

TEST(string_table, agrees_with_a_map_on_random_keys_and_texts) {
  std::mt19937 chance(5);
  const std::string letters[] = {"a", "b", "é", "漢", "😀"};
  const auto word = [&](std::size_t longest) {
    std::string made;
    for (std::size_t i = 1 + chance() % longest; i > 0; --i) made += letters[chance() % 5];
    return made;
  };
  std::map<std::string, std::uint32_t, std::less<>> model;
  StringTable table(2000);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const std::string key = word(6);
    EXPECT_EQ(table.insert(key, i), model.emplace(key, i).second);
  }
  EXPECT_EQ(table.size(), model.size());
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = word(9);
    std::size_t length = text.size();
    while (length > 0 && !model.contains(text.substr(0, length))) --length;
    const auto match = table.longest_prefix(text);
    ASSERT_EQ(match.length, length) << text;
    if (length > 0) {
      ASSERT_EQ(match.value, model.find(text.substr(0, length))->second);
    }
  }
}

}  // namespace
}  // namespace embedrouter::tokenizer
