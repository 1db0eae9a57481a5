// The ids of the real vocabulary against those of the reference: tests/golden/texts.jsonl and tokens.jsonl,
// made by tests/golden/make_tokens.py. The model folder is EMBEDROUTER_MODEL_DIR, else where ./run puts it.
#include "tokenizer/test_golden.h"
#include "tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace embedrouter::tokenizer {
namespace {

constexpr std::size_t kTexts = 1000;

std::unique_ptr<const Tokenizer> real_tokenizer() {
  const char* folder = std::getenv("EMBEDROUTER_MODEL_DIR");
  const std::filesystem::path model = folder ? folder : EMBEDROUTER_SOURCE_DIR "/.models/all-minilm-l6-v2";
  auto tokenizer = Tokenizer::load(model / "tokenizer.json");
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().message());
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

struct Golden {
  std::vector<std::string> texts;
  std::vector<std::vector<std::uint32_t>> ids;
};

Golden golden() {
  Golden golden;
  golden.texts = golden_texts();
  each_line("tokens.jsonl", [&](simdjson::dom::element line) {
    auto& ids = golden.ids.emplace_back();
    simdjson::dom::array list;
    ASSERT_EQ(line.get(list), simdjson::SUCCESS);
    for (const simdjson::dom::element item : list) {
      std::uint64_t id = 0;
      ASSERT_EQ(item.get(id), simdjson::SUCCESS);
      ids.push_back(static_cast<std::uint32_t>(id));
    }
  });
  EXPECT_EQ(golden.ids.size(), kTexts);
  return golden;
}

TEST(tokenizer_parity, a_thousand_texts_have_the_reference_s_ids) {
  const auto tokenizer = real_tokenizer();
  const Golden golden = tokenizer::golden();
  ASSERT_TRUE(tokenizer && golden.texts.size() == kTexts && golden.ids.size() == kTexts);
  for (std::size_t i = 0; i < kTexts; ++i) {
    std::vector<std::uint32_t> ids;
    EXPECT_EQ(tokenizer->encode(golden.texts[i], ids), golden.ids[i].size());
    EXPECT_EQ(ids, golden.ids[i]) << "line " << i + 1 << " of texts.jsonl";
  }
}

TEST(tokenizer_parity, a_cut_keeps_the_first_tokens_and_the_closing_one) {
  const auto tokenizer = real_tokenizer();
  const Golden golden = tokenizer::golden();
  ASSERT_TRUE(tokenizer && golden.texts.size() == kTexts && golden.ids.size() == kTexts);
  std::size_t cut = 0;
  for (std::size_t i = 0; i < kTexts; ++i) {
    for (const std::size_t limit : {std::size_t{4}, std::size_t{256}, std::size_t{512}}) {
      std::vector<std::uint32_t> expected = golden.ids[i];
      if (expected.size() > limit) {
        ++cut;
        expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(limit) - 1, expected.end() - 1);
      }
      std::vector<std::uint32_t> ids;
      EXPECT_EQ(tokenizer->encode(golden.texts[i], ids, limit), golden.ids[i].size());
      EXPECT_EQ(ids, expected) << "line " << i + 1 << " of texts.jsonl, limit " << limit;
    }
  }
  EXPECT_GT(cut, kTexts / 2);
}

TEST(tokenizer_parity, the_vocabulary_is_the_model_s) {
  const auto tokenizer = real_tokenizer();
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->vocabulary_size(), 30522U);
}

}  // namespace
}  // namespace embedrouter::tokenizer
