#include <gtest/gtest.h>

#include <set>

#include "base/body.h"
#include "base/buffer.h"
#include "base/json_text.h"
#include "base/random.h"
#include "base/sha256.h"
#include "embedrouter/error.h"

namespace embedrouter {
namespace {

TEST(Errors, every_code_has_a_row_with_a_distinct_name_and_an_error_status) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorTraits& row = traits(static_cast<ErrorCode>(i));
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_GE(row.http_status, 400) << row.name;
    EXPECT_LT(row.http_status, 600) << row.name;
    EXPECT_FALSE(row.error_type.empty()) << row.name;
  }
}

TEST(Errors, what_is_retried_also_falls_back) {
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorTraits& row = traits(static_cast<ErrorCode>(i));
    if (row.retry) EXPECT_TRUE(row.fall_back) << row.name;
  }
}

TEST(JsonText, escapes_what_json_forbids_and_keeps_the_rest) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\r\t\x01\0d\x7f é 😀", 20));
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u0000d\x7f é 😀\"");
}

// What it does by eight characters at once, it does by one.
TEST(JsonText, treats_a_character_alike_wherever_it_stands) {
  for (unsigned c = 0; c < 256; ++c) {
    std::string alone;
    append_json_string(alone, std::string(1, static_cast<char>(c)));
    const std::string escaped = alone.substr(1, alone.size() - 2);
    for (std::size_t at = 0; at < 19; ++at) {
      std::string text(19, 'a');
      text[at] = static_cast<char>(c);
      std::string out;
      append_json_string(out, text);
      EXPECT_EQ(out, '"' + std::string(at, 'a') + escaped + std::string(18 - at, 'a') + '"');
      EXPECT_EQ(is_utf8(text), c < 0x80);
    }
  }
}

TEST(JsonText, replaces_each_byte_that_is_not_utf8) {
  std::string out;
  append_json_string(out, "\xff\xc0\x80\xed\xa0\x80x\xf4\x90\x80\x80");
  std::string expected = "\"";
  for (int i = 0; i < 6; ++i) expected += "\xEF\xBF\xBD";
  expected += "x";
  for (int i = 0; i < 4; ++i) expected += "\xEF\xBF\xBD";
  EXPECT_EQ(out, expected + "\"");
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_TRUE(is_utf8("é😀\xEF\xBF\xBE"));
}

TEST(Buffer, keeps_its_bytes_when_it_grows) {
  Buffer buffer("abc");
  for (int i = 0; i < 1000; ++i) buffer.append("0123456789");
  EXPECT_EQ(buffer.size(), 10'003U);
  EXPECT_EQ(buffer.view().substr(0, 13), "abc0123456789");
}

TEST(Body, counts_the_bytes_of_its_pieces) {
  Body body("head");
  const auto owner = std::make_shared<const std::string>("tail");
  body.append_view(*owner);
  body.keep_alive(owner);
  body.append("");
  EXPECT_EQ(body.size(), 8U);
  EXPECT_EQ(body.to_string(), "headtail");
}

TEST(Random, repeats_for_a_seed_and_stays_in_range) {
  Random a(7);
  Random b(7);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(a.next(), b.next());
    EXPECT_LT(a.below(10), 10U);
    b.below(10);
  }
  EXPECT_EQ(a.alphanumeric(20).size(), 20U);
}

TEST(Sha256, of_abc) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(equal_constant_time(sha256("a"), sha256("a")));
  EXPECT_FALSE(equal_constant_time(sha256("a"), sha256("b")));
}

}  // namespace
}  // namespace embedrouter
