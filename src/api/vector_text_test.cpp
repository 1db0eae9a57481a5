#include "api/vector_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "api/base64_blocks.h"
#include "api/number_filter.h"
#include "base/random.h"

namespace embedrouter::api {
namespace {

// The grammar of RFC 8259 for an array of numbers, letter by letter, with nothing clever in it. The number of
// values.
std::optional<std::size_t> plain_grammar(std::string_view json) {
  std::size_t at = 0;
  const auto peek = [&] { return at < json.size() ? json[at] : '\0'; };
  const auto space = [&] {
    while (at < json.size() && std::string_view(" \t\r\n").find(json[at]) != std::string_view::npos) ++at;
  };
  const auto digits = [&] {
    const std::size_t begin = at;
    while (peek() >= '0' && peek() <= '9') ++at;
    return at != begin;
  };
  const auto number = [&] {
    if (peek() == '-') ++at;
    if (peek() == '0') {
      ++at;
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.' && (++at, !digits())) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at;
      if (peek() == '-' || peek() == '+') ++at;
      if (!digits()) return false;
    }
    return true;
  };
  if (peek() != '[') return std::nullopt;
  ++at;
  space();
  std::size_t count = 0;
  if (peek() != ']') {
    for (;;) {
      if (!number()) return std::nullopt;
      ++count;
      space();
      if (peek() != ',') break;
      ++at;
      space();
    }
  }
  if (peek() != ']' || at + 1 != json.size()) return std::nullopt;
  return count;
}

float any_float(Random& random) {
  for (;;) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    if (std::isfinite(value)) return value;
  }
}

std::vector<float> vector_like_an_embedding(Random& random, std::size_t width) {
  std::vector<float> values(width);
  for (float& value : values)
    value = static_cast<float>(random.uniform() - 0.5) * (random.below(20) == 0 ? 1e-4F : 0.1F);
  return values;
}

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

TEST(ScanNumbers, counts_what_is_well_formed) {
  struct Case {
    std::string_view json;
    std::size_t width;
    bool nonzero;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"[]", 0, false},
           {"[ \n]", 0, false},
           {"[1]", 1, true},
           {"[0]", 1, false},
           {"[-0.0,0e5,0.000E-3]", 3, false},
           {"[0,0,1e-45]", 3, true},
           {"[1e-400]", 1, false},  // below float32's smallest: zero once it is read
           {"[ 0.5 ,\r\n\t-2.5e-05 , 3E+2 ]", 3, true},
           {"[340282346638528859811704183484516925440]", 1, true},
           {"[3.4028235e38,-3.4028235e38]", 2, true},
           {"[123456789012345678901234567890]", 1, true},
           {"[0.10000000000000000000000000000000000000000000000000000000000000000000000000000001]", 1, true},
       }) {
    const auto facts = scan_numbers(c.json);
    ASSERT_TRUE(facts) << c.json << ": " << facts.error().message();
    EXPECT_EQ(facts->width, c.width) << c.json;
    EXPECT_EQ(facts->nonzero, c.nonzero) << c.json;
  }
}

TEST(ScanNumbers, refuses_what_is_not_an_array_of_numbers) {
  for (const std::string_view json : {"",
                                      "[",
                                      "]",
                                      "1",
                                      "[1",
                                      "1]",
                                      "[,]",
                                      "[1,]",
                                      "[,1]",
                                      "[1,,2]",
                                      "[1 2]",
                                      "[01]",
                                      "[-01]",
                                      "[00]",
                                      "[1.]",
                                      "[.5]",
                                      "[-.5]",
                                      "[+1]",
                                      "[-]",
                                      "[--1]",
                                      "[1-2]",
                                      "[1e]",
                                      "[1e+]",
                                      "[1e5e5]",
                                      "[1.2.3]",
                                      "[1e5.5]",
                                      "[1e-5.5]",
                                      "[1e-5e-5]",
                                      "[1.5-2]",
                                      "[0x10]",
                                      "[1_0]",
                                      "[[1]]",
                                      "[1]]",
                                      "[\"1\"]",
                                      "[true]",
                                      "[{}]",
                                      "[1;2]",
                                      "[1,\v2]",
                                      "[1\0]",
                                      "[\xff]",
                                      "[1,\xc2\xa0 2]",
                                      "{1}",
                                      "[1,2}",
                                      "[1]x",
                                      " [1]",
                                      "[1] "}) {
    const auto facts = scan_numbers(json);
    ASSERT_FALSE(facts) << json;
    EXPECT_EQ(facts.error().code(), ErrorCode::upstream_invalid_answer) << json;
  }
}

TEST(ScanNumbers, says_which_value_is_no_number_or_too_large) {
  struct Case {
    std::string_view json, message;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"[1,null]", "value 1 is null, not a number"},
           {"[NaN]", "value 0 is NaN, not a number"},
           {"[0.5,1,-Infinity,2]", "value 2 is -Infinity, not a number"},
           {"[0.5,1e400]", "value 1 is too large for float32"},
           {"[3.5e38]", "value 0 is too large for float32"},
           {"[-340282366920938463463374607431768211456]", "value 0 is too large for float32"},
       }) {
    for (const bool padded : {false, true}) {  // also behind the first vector block
      std::string json(c.json);
      std::string message(c.message);
      if (padded) {
        json.insert(1, "0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125,0.125,");
        message.replace(6, 1, std::to_string(12 + message[6] - '0'));
      }
      const auto facts = scan_numbers(json);
      ASSERT_FALSE(facts) << json;
      EXPECT_EQ(facts.error().code(), ErrorCode::upstream_invalid_vector);
      EXPECT_EQ(facts.error().message(), message);
    }
  }
}

TEST(ScanNumbers, agrees_with_the_plain_grammar_on_mutated_vectors) {
  Random random(1);
  constexpr std::string_view kAlphabet = "0123456789-+.eE, \n[]n\"";
  std::size_t accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string json;
    append_numbers(json, vector_like_an_embedding(random, 1 + random.below(40)));
    if (random.below(3) == 0) {  // as a pretty printer writes it
      for (std::size_t i = json.find(','); i != std::string::npos; i = json.find(',', i + 6))
        json.insert(i + 1, "\n    ");
    }
    for (std::uint64_t edits = random.below(3); edits != 0; --edits) {
      const std::size_t at = random.below(json.size());
      const char c = kAlphabet[random.below(kAlphabet.size())];
      switch (random.below(3)) {
        case 0:
          json[at] = c;
          break;
        case 1:
          json.insert(at, 1, c);
          break;
        default:
          json.erase(at, 1);
      }
    }
    const auto expected = plain_grammar(json);
    const auto facts = scan_numbers(json);
    if (!facts && facts.error().message().ends_with("too large for float32")) continue;
    ASSERT_EQ(facts.has_value(), expected.has_value()) << json;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(facts->width, *expected) << json;
    std::vector<float> values(*expected);
    const auto parsed = parse_numbers(json, values);
    ASSERT_TRUE(parsed) << json;
    ASSERT_EQ(parsed->nonzero, facts->nonzero) << json;
  }
  EXPECT_GT(accepted, 10'000U);
}

TEST(ScanNumbers, takes_the_quick_way_for_usual_vectors) {
  if (!quick_count("1")) GTEST_SKIP() << "no AVX2 here: every vector goes the thorough way";
  EXPECT_EQ(quick_count("-0.009327292,\n 1.2e-05,0,7"), 4U);
  EXPECT_EQ(quick_count(""), std::nullopt);
  EXPECT_EQ(quick_count("1,1e5"), std::nullopt);
  EXPECT_EQ(quick_count("1,,2"), std::nullopt);
  Random random(2);
  std::string json;
  append_numbers(json, vector_like_an_embedding(random, 1536));
  EXPECT_EQ(quick_count(std::string_view(json).substr(1, json.size() - 2)), 1536U);
}

TEST(ParseNumbers, rounds_as_the_reference_does) {
  Random random(3);
  std::string text;
  for (int round = 0; round < 300'000; ++round) {
    char digits[64];
    char* end = nullptr;
    const float near = any_float(random);
    switch (random.below(4)) {
      case 0:
        end = std::to_chars(digits, digits + sizeof digits, static_cast<double>(near)).ptr;
        break;
      case 1:  // exactly between two neighbours, where rounding is hardest
        end = std::to_chars(digits, digits + sizeof digits,
                            (static_cast<double>(near) + std::nextafter(near, 1.0F)) / 2)
                  .ptr;
        break;
      case 2:
        end = std::to_chars(digits, digits + sizeof digits, random.uniform() * 2 - 1,
                            std::chars_format::general, 19)
                  .ptr;
        break;
      default:
        end = std::to_chars(digits, digits + sizeof digits,
                            std::bit_cast<double>(random.next() % 0x7FF0000000000000U),
                            std::chars_format::scientific, static_cast<int>(random.below(12)))
                  .ptr;
    }
    float expected = 0;
    const std::string number(digits, end);
    expected = std::strtof(number.c_str(), nullptr);
    text = "[" + number + "]";
    float value = 0;
    const auto facts = parse_numbers(text, {&value, 1});
    if (std::isinf(expected)) {
      ASSERT_FALSE(facts) << text;
    } else {
      ASSERT_TRUE(facts) << text;
      ASSERT_EQ(bits(value), bits(expected)) << text;
    }
  }
}

TEST(ParseNumbers, wants_exactly_the_width) {
  std::vector<float> values(2);
  EXPECT_TRUE(parse_numbers("[1,2]", values));
  EXPECT_FALSE(parse_numbers("[1]", values));
  EXPECT_FALSE(parse_numbers("[1,2,3]", values));
  EXPECT_FALSE(parse_numbers("[1,2x]", values));
}

TEST(AppendNumbers, writes_what_reads_back_to_the_same_bits) {
  Random random(4);
  for (int round = 0; round < 500; ++round) {
    std::vector<float> values(1 + random.below(300));
    for (float& value : values) value = any_float(random);
    values[0] =
        std::array{0.0F, -0.0F, FLT_MIN, FLT_MAX, FLT_TRUE_MIN, -FLT_MAX, 1e-5F, 1e20F}[random.below(8)];
    std::string json = "x";
    append_numbers(json, values);
    json.erase(0, 1);
    ASSERT_EQ(plain_grammar(json), values.size()) << json;
    ASSERT_TRUE(scan_numbers(json));
    std::vector<float> back(values.size());
    ASSERT_TRUE(parse_numbers(json, back));
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(bits(back[i]), bits(values[i])) << json;
  }
}

TEST(AppendNumbers, stays_json_whatever_the_values) {
  std::string json;
  append_numbers(json, {});
  EXPECT_EQ(json, "[]");
  json.clear();
  append_numbers(json, std::array{1.5F, std::numeric_limits<float>::quiet_NaN(),
                                  -std::numeric_limits<float>::infinity()});
  EXPECT_EQ(json, "[1.5,null,null]");
}

TEST(Base64, writes_known_text) {
  std::string text;
  append_base64(text, {});
  EXPECT_EQ(text, "");
  append_base64(text, std::array{1.0F});
  EXPECT_EQ(text, "AACAPw==");
  text.clear();
  append_base64(text, std::array{1.0F, -2.5F});
  EXPECT_EQ(text, "AACAPwAAIMA=");
  text.clear();
  append_base64(text, std::array{1.0F, -2.5F, 0.1F});
  EXPECT_EQ(text, "AACAPwAAIMDNzMw9");
}

TEST(Base64, round_trips_every_width) {
  Random random(5);
  for (std::size_t width = 1; width < 200; ++width) {
    std::vector<float> values(width);
    for (float& value : values) value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    std::string text;
    append_base64(text, values);
    EXPECT_TRUE(is_canonical_base64(text));
    ASSERT_EQ(base64_width(text).value(), width);
    std::string url = text;
    std::ranges::replace(url, '+', '-');
    std::ranges::replace(url, '/', '_');
    const std::string bare = url.substr(0, url.find('='));
    if (url != text) {
      EXPECT_FALSE(is_canonical_base64(url));
    }
    if (bare.size() != text.size()) {
      EXPECT_FALSE(is_canonical_base64(text.substr(0, bare.size())));
    }
    for (const std::string& form : {text, url, bare}) {
      std::vector<float> back(width);
      ASSERT_TRUE(decode_base64(form, back)) << form;
      ASSERT_EQ(std::memcmp(back.data(), values.data(), width * sizeof(float)), 0) << form;
    }
  }
}

TEST(Base64, refuses_each_character_outside_the_alphabet_at_each_place) {
  std::vector<float> values(81, 0.5F);  // two steps of 128 characters and a rest
  std::string good;
  append_base64(good, values);
  ASSERT_EQ(good.size(), 432U);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text = good;
      text[at] = static_cast<char>(c);
      const bool letter = std::isalnum(c) != 0 && c < 128;
      const bool standard = letter || c == '+' || c == '/';
      if (c == '=' && at == good.size() - 1) continue;  // padding: another length
      EXPECT_EQ(decode_base64(text, values).has_value(), standard || c == '-' || c == '_') << at << ' ' << c;
      EXPECT_EQ(is_canonical_base64(text), standard) << at << ' ' << c;
    }
  }
}

TEST(Base64, refuses_lengths_padding_and_spare_bits_that_cannot_be) {
  for (const std::string_view text :
       {"A", "AACAP", "AACAPw=", "AACAPw===", "=", "==", "AACAPwA=", "AAAA", "AAAAAAAA", "AACAPwAAIMA=="}) {
    EXPECT_FALSE(base64_width(text)) << text;
    EXPECT_FALSE(is_canonical_base64(text)) << text;
  }
  float value = 0;
  EXPECT_TRUE(decode_base64("AACAPw==", {&value, 1}));
  EXPECT_FALSE(decode_base64("AACAPx==", {&value, 1}));
  EXPECT_FALSE(decode_base64("AAAA====", {&value, 1}));
  EXPECT_FALSE(is_canonical_base64("AACAPx=="));
  EXPECT_FALSE(decode_base64("AACAPwAAIMA=", {&value, 1})) << "another width";
}

TEST(Base64, blocks_agree_with_the_plain_way) {
  Random random(6);
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.below(64)];
  std::vector<unsigned char> bytes(225);
  const std::size_t done = decode_base64_blocks(text, bytes);
  for (std::size_t i = 0; i < done; i += 4) {
    float value = 0;  // four characters and "A==" make one value
    ASSERT_TRUE(decode_base64(text.substr(i, 4) + "AA==", {&value, 1}));
    EXPECT_EQ(std::memcmp(&value, &bytes[i / 4 * 3], 3), 0);
  }
}

TEST(Measure, sums_the_squares_and_finds_what_is_not_finite) {
  std::vector<float> values(1001, 0.5F);
  values[1000] = -3;
  auto facts = measure(values);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->width, 1001U);
  EXPECT_DOUBLE_EQ(facts->squared_norm, 259.0);
  EXPECT_TRUE(facts->nonzero);
  EXPECT_FALSE(measure(std::vector<float>(9, -0.0F))->nonzero);
  EXPECT_TRUE(measure(std::vector<float>(3, FLT_TRUE_MIN))->nonzero);
  EXPECT_TRUE(measure(std::vector<float>(4096, FLT_MAX))) << "large is not infinite";
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), NAN}) {
    values[777] = bad;
    facts = measure(values);
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().code(), ErrorCode::upstream_invalid_vector);
    EXPECT_EQ(facts.error().message(), "value 777 is not finite");
  }
}

}  // namespace
}  // namespace embedrouter::api
