#include "api/json_cursor.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/random.h"

namespace embedrouter::api {
namespace {

bool valid(std::string_view text) {
  JsonCursor json(text);
  return json.skip() && json.finish();
}

std::string fault_of(std::string_view text) {
  JsonCursor json(text);
  return json.skip() && json.finish() ? "" : json.fault();
}

std::string meaning(std::string_view literal) {
  JsonCursor json(literal);
  JsonString string;
  std::string storage;
  EXPECT_TRUE(json.read_string(string) && json.finish()) << literal;
  std::string in_place(string.raw);
  in_place.resize(unescape(in_place, in_place.data()));
  const std::string copied(text_of(string, storage));
  EXPECT_EQ(in_place, copied);
  return copied;
}

TEST(JsonCursor, unescapes_everything_json_can_escape) {
  EXPECT_EQ(meaning(R"("plain é 😀")"), "plain é 😀");
  EXPECT_EQ(meaning(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(meaning(R"("\u0041\u00e9\u20AC\uD83D\uDE00x")"), "Aé€😀x");
  EXPECT_EQ(meaning(R"("a\u0000b")"), std::string("a\0b", 3));
  EXPECT_EQ(meaning(R"("")"), "");
}

TEST(JsonCursor, says_what_is_wrong_and_where) {
  for (const auto& [text, fault] : std::vector<std::pair<std::string_view, std::string_view>>{
           {R"("abc)", "unterminated string at byte 4"},
           {R"(["a",)", "the text ends in the middle at byte 5"},
           {R"({"a":1 "b":2})", "expected ',' or '}' at byte 7"},
           {R"({"a" 1})", "expected ':' at byte 5"},
           {R"({a:1})", "expected a member name in quotes at byte 1"},
           {R"([1,])", "not a JSON value at byte 3"},
           {"[NaN]", "not a JSON value at byte 1"},
           {"[tru]", "not a JSON value at byte 1"},
           {"[01]", "expected ',' or ']' at byte 2"},
           {"[1.]", "malformed number at byte 3"},
           {R"("\ud800")", "lone surrogate in a string at byte 1"},
           {R"("\udcca")", "lone surrogate in a string at byte 1"},
           {R"("\ud83dx")", "lone surrogate in a string at byte 1"},
           {R"("\ud83d\u0041")", "lone surrogate in a string at byte 1"},
           {R"("\u12g4")", "\\u without four hex digits at byte 1"},
           {R"("\x")", "unknown escape in a string at byte 1"},
           {"\"a\nb\"", "control character in a string (write it as an escape) at byte 2"},
           {"\"\xff\"", "invalid UTF-8 in the string at byte 1"},
           {"\"\xc0\xaf\"", "invalid UTF-8 in the string at byte 1"},
           {"\"\xed\xa0\x80\"", "invalid UTF-8 in the string at byte 1"},
           {"{} x", "text behind the end of the JSON value at byte 3"},
           {"", "the text ends in the middle at byte 0"},
       }) {
    EXPECT_EQ(fault_of(text), fault) << text;
  }
}

TEST(JsonCursor, bounds_the_depth) {
  const auto nested = [](unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(valid(nested(JsonCursor::kMaxDepth)));
  EXPECT_FALSE(valid(nested(JsonCursor::kMaxDepth + 1)));
  EXPECT_FALSE(valid(std::string(1'000'000, '[')));
  std::string objects;
  for (unsigned i = 0; i < JsonCursor::kMaxDepth; ++i) objects += i % 2 == 0 ? R"({"a":)" : "[";
  objects += "1";
  for (unsigned i = JsonCursor::kMaxDepth; i-- > 0;) objects += i % 2 == 0 ? "}" : "]";
  EXPECT_TRUE(valid(objects));
}

TEST(JsonCursor, reads_integers_however_they_are_written) {
  for (const auto& [text, value] : std::vector<std::pair<std::string_view, std::optional<std::int64_t>>>{
           {"0", 0},
           {"-0.0", 0},
           {"7", 7},
           {"7.0", 7},
           {"0.7e1", 7},
           {"7e2", 700},
           {"700e-2", 7},
           {"0e999999999999", 0},
           {"-12", -12},
           {"9223372036854775807", 9223372036854775807},
           {"9223372036854775808", std::nullopt},
           {"7.5", std::nullopt},
           {"1e-1", std::nullopt},
           {"1e99", std::nullopt},
           {"123456789012345678901234567890", std::nullopt}}) {
    JsonCursor json(text);
    Decimal decimal;
    ASSERT_TRUE(json.read_number(decimal) && json.finish()) << text;
    EXPECT_EQ(to_integer(decimal), value) << text;
  }
}

// A document with everything in it, then a few bytes of it changed: simdjson's tree parser is the judge. Two
// edits cannot make a number too large for a double, where the two would differ: here a number is only
// grammar.
TEST(JsonCursor, agrees_with_simdjson_on_mutated_documents) {
  constexpr std::string_view kDocument =
      R"({"a":[1,-2.5e-3,0.1,true,false,null,{}],"b\n":"x\u00e9\ud83d\ude00é😀\\\"","c":{"d":[[],[[0]],{"e":""}]} , "f" : 1E-2 })";
  constexpr std::string_view kBytes = "{}[]\",:\\ue0129.+-tfn \n\x01\x80\xc3\xa9\xf0";
  Random random(7);
  simdjson::dom::parser judge;
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text(kDocument);
    for (std::uint64_t edits = 1 + random.below(2); edits != 0; --edits) {
      const std::size_t at = random.below(text.size());
      const char c = kBytes[random.below(kBytes.size())];
      switch (random.below(3)) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        default:
          text.erase(at, 1);
      }
    }
    const bool expected = judge.parse(text).error() == simdjson::SUCCESS;
    ASSERT_EQ(valid(text), expected) << text;
    accepted += expected ? 1 : 0;
  }
  EXPECT_GT(accepted, 10'000U);
}

TEST(JsonCursor, a_flat_string_ends_where_it_is_expected_or_at_the_next_quote) {
  for (const std::size_t length : {0, 3, 4, 5, 99}) {
    JsonCursor json(R"("AAAA","B")");
    std::string_view text;
    ASSERT_TRUE(json.skip_flat_string(text, length));
    EXPECT_EQ(text, "AAAA") << length;
  }
  JsonCursor open(R"("AAAA)");
  std::string_view text;
  EXPECT_FALSE(open.skip_flat_string(text, 4));
}

}  // namespace
}  // namespace embedrouter::api
