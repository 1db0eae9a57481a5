// The tokenizers of the other families against the reference: tests/golden/families, by make_families.py.
#include "base/sha256.h"
#include "tokenizer/read_parts.h"
#include "tokenizer/test_golden.h"
#include "tokenizer/test_pieces.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace embedrouter::tokenizer {
namespace {

struct Family {
  const char* name;
  std::size_t every;  // of the texts
};
constexpr Family kFamilies[] = {
    {"bert", 20}, {"distilbert", 20}, {"mpnet", 20}, {"roberta", 1}, {"xlm-roberta", 1}};

std::unique_ptr<const Tokenizer> tokenizer_of(const std::string& family) {
  auto tokenizer = Tokenizer::load(golden_path("families/" + family + "/tokenizer.json"));
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().message());
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

std::vector<std::vector<std::uint32_t>> ids_of_family(const std::string& family) {
  std::ifstream file(golden_path("families/" + family + "/ids.bin"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::vector<std::uint32_t>> all;
  std::size_t at = 0;
  const auto number = [&] {
    std::uint16_t value = 0;
    if (at + 2 <= bytes.size()) std::memcpy(&value, bytes.data() + at, 2);
    at += 2;
    return value;
  };
  while (at < bytes.size()) {
    auto& ids = all.emplace_back();
    for (std::uint16_t left = number(); left > 0; --left) ids.push_back(number());
  }
  return all;
}

TEST(tokenizer_families, every_text_has_the_reference_s_ids) {
  const auto texts = golden_texts();
  for (const auto& [name, every] : kFamilies) {
    const auto tokenizer = tokenizer_of(name);
    const auto expected = ids_of_family(name);
    ASSERT_TRUE(tokenizer);
    ASSERT_EQ(expected.size(), texts.size() / every) << name;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      std::vector<std::uint32_t> ids;
      EXPECT_EQ(tokenizer->encode(texts[i * every], ids), expected[i].size());
      EXPECT_EQ(ids, expected[i]) << name << ", line " << i * every + 1 << " of texts.jsonl";
    }
  }
}

// Calls `use` with the texts that make_families.py runs a stage over.
template <class Use>
void each_sample(const std::vector<std::string>& texts, Use use) {
  for (const std::string& text : texts) use(text);
  for (char32_t first = 0; first < 0xF0000; first += 64) {
    if ((first >= 0xD800 && first < 0xE000) || (first >= 0x33480 && first < 0xE0000)) continue;
    std::string text;
    for (char32_t c = first; c < first + 64; ++c) {
      unicode::append_utf8(text, c);
      text += " e";
      unicode::append_utf8(text, c);
      unicode::append_utf8(text, c);
      text += "\u0301";
    }
    use(text);
  }
}

std::string hex_of(const std::string& all) {
  return to_hex(sha256(all));
}

std::string digest_of_normalizer(const JsonFields& file, const std::vector<std::string>& texts) {
  const auto normalizer = read_normalizer(file);
  if (!normalizer) return normalizer.error().message();
  std::string all;
  each_sample(texts, [&](const std::string& text) {
    (*normalizer)->append(text, all);
    all.push_back('\0');
  });
  return hex_of(all);
}

std::string digest_of_pre_tokenizer(const JsonFields& file, const std::vector<std::string>& texts) {
  const auto pre_tokenizer = read_pre_tokenizer(file);
  if (!pre_tokenizer) return pre_tokenizer.error().message();
  struct Sink final : PieceSink {
    void take(std::string_view piece) override {
      all += piece;
      all.push_back('\0');
    }
    std::string all;
  } sink;
  each_sample(texts, [&](const std::string& text) { (*pre_tokenizer)->cut(text, sink); });
  return hex_of(sink.all);
}

TEST(tokenizer_families, every_stage_makes_the_same_of_texts_and_of_every_code_point) {
  const auto texts = golden_texts();
  std::size_t stages = 0;
  each_line("families/stages.jsonl", [&](simdjson::dom::element line) {
    std::string_view expected;
    ASSERT_EQ(line["sha256"].get(expected), simdjson::SUCCESS);
    simdjson::dom::parser parser;
    std::string_view family;
    if (!line["normalizer"].get(family)) {
      simdjson::padded_string json;
      ASSERT_FALSE(
          simdjson::padded_string::load(golden_path("families/" + std::string(family) + "/tokenizer.json"))
              .get(json));
      ASSERT_FALSE(parser.parse(json).get(line));
      simdjson::dom::element only;  // the first of the sequence, the map
      ASSERT_FALSE(line["normalizer"]["normalizers"].at(0).get(only));
      ASSERT_FALSE(parser.parse("{\"normalizer\": " + simdjson::minify(only) + "}").get(line));
    }
    const auto file = JsonFields::of(line, "");
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->lacks("normalizer") ? digest_of_pre_tokenizer(*file, texts)
                                        : digest_of_normalizer(*file, texts),
              expected)
        << simdjson::minify(line).substr(0, 200);
    ++stages;
  });
  EXPECT_EQ(stages, 31U);
}

}  // namespace
}  // namespace embedrouter::tokenizer
