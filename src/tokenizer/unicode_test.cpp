#include "tokenizer/unicode.h"

#include "base/json_text.h"

#include <gtest/gtest.h>

namespace embedrouter::tokenizer::unicode {
namespace {

TEST(unicode, every_code_point_survives_utf8) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text = "é";
    append_utf8(text, c);
    ASSERT_TRUE(is_utf8(text));
    ASSERT_EQ(last_code_point(text), c);
    ASSERT_EQ(first_code_point(std::string_view(text).substr(2)), c);
  }
}

TEST(unicode, properties_are_those_of_the_reference) {
  struct Row {
    char32_t c;
    int flags;
  };
  const Row rows[] = {
      {'a', kWord | kLetter},
      {'_', kWord | kPunctuation},
      {'$', kPunctuation},
      {0x00, kControl},
      {'\t', kWhitespace},
      {'\v', kControl | kWhitespace},
      {0x85, kControl | kWhitespace},
      {0xA0, kWhitespace},
      {0x3000, kWhitespace},
      {0xAD, kControl},
      {0x200D, kControl | kWord},
      {0x20AC, 0},
      {0x2014, kPunctuation},
      {0x0301, kMark | kWord | kCombining},
      {0x0903, kWord | kCombining},  // spacing
      {0xBD, kNumber},
      {'7', kWord | kNumber},
      {0x4E00, kCjk | kWord | kLetter},
      {0x3105, kWord | kLetter},  // Bopomofo is no ideograph
      {0xE000, kControl},
      {0xFFFD, kControl},
      {0x0378, 0},  // unassigned
      {0x10FFFF, 0},
      {0x166D, kPunctuation},  // a symbol since Unicode 12
  };
  for (const auto& [c, flags] : rows) EXPECT_EQ(properties(c).flags, flags) << std::hex << std::uint32_t{c};
}

TEST(unicode, two_code_points_compose_where_one_means_the_same) {
  EXPECT_EQ(compose('e', 0x301), U'é');
  EXPECT_EQ(compose(0x1100, 0x1161), U'가');
  EXPECT_EQ(compose(U'가', 0x11A8), U'각');
  EXPECT_EQ(compose(U'각', 0x11A8), 0U);
  EXPECT_EQ(compose(0x11935, 0x11930), 0U) << "younger than the reference's Unicode";
  EXPECT_EQ(compose('x', 0x301), 0U);
  EXPECT_EQ(compose(0x2ADD, 0x338), 0U) << "excluded";
}

TEST(unicode, a_bad_byte_becomes_the_replacement_character) {
  const std::string r = "\xEF\xBF\xBD";
  const std::pair<std::string_view, std::string> rows[] = {
      {"plain é漢😀", "plain é漢😀"},
      {"a\x80z", "a" + r + "z"},
      {"\xC3", r},
      {"\xC3\xC3\xA9", r + "é"},
      {"\xE6\xBC", r + r},
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xC0\xAF", r + r},                  // overlong
      {"\xF4\x90\x80\x80", r + r + r + r},  // beyond the last code point
      {"\xFF[", r + "["},
  };
  for (const auto& [text, expected] : rows) {
    std::string repaired;
    append_repaired(repaired, text);
    EXPECT_EQ(repaired, expected);
  }
}

}  // namespace
}  // namespace embedrouter::tokenizer::unicode
