#include "inference/model_config.h"

#include <gtest/gtest.h>

#include <string>

#include "inference/test_model.h"

namespace embedrouter::inference {
namespace {

const std::string kConfig =
    R"({"model_type":"bert","hidden_act":"gelu","position_embedding_type":"absolute","vocab_size":100,"hidden_size":64,)"
    R"("num_hidden_layers":2,"num_attention_heads":2,"intermediate_size":128,"max_position_embeddings":512,)"
    R"("type_vocab_size":2,"layer_norm_eps":1e-12})";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kConfig;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(model_config, of_the_default_model_is_read_with_the_limit_its_makers_set) {
  const auto config = read_model_config(model_folder());
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->width, 384U);
  EXPECT_EQ(config->layers, 6U);
  EXPECT_EQ(config->heads, 12U);
  EXPECT_EQ(config->head_width(), 32U);
  EXPECT_EQ(config->inner_width, 1536U);
  EXPECT_EQ(config->positions, 512U);
  EXPECT_EQ(config->vocabulary, 30522U);
  EXPECT_EQ(config->max_tokens, 256U);
}

TEST(model_config, without_a_stated_length_is_256_or_the_position_table) {
  EXPECT_EQ(parse_config(kConfig)->max_tokens, 256U);
  EXPECT_EQ(parse_config(with("512", "128"))->max_tokens, 128U);
}

TEST(model_config, what_the_engine_does_not_do_is_refused_by_member) {
  const std::pair<std::string, const char*> kCases[] = {
      {with("\"bert\"", "\"llama\""), "model_type"},
      {with("\"model_type\":\"bert\",", ""), "model_type"},
      {with("\"gelu\"", "\"relu\""), "hidden_act"},
      {with("\"absolute\"", "\"relative_key\""), "position_embedding_type"},
      {with("\"vocab_size\":100", "\"vocab_size\":0"), "vocab_size"},
      {with("\"vocab_size\":100", "\"vocab_size\":-1"), "vocab_size"},
      {with("\"vocab_size\":100", "\"vocab_size\":1e3"), "vocab_size"},
      {with("\"hidden_size\":64", "\"hidden_size\":999999"), "hidden_size"},
      {with("\"num_attention_heads\":2", "\"num_attention_heads\":3"), "num_attention_heads"},
      {with("\"num_attention_heads\":2", "\"num_attention_heads\":0"), "num_attention_heads"},
      {with("\"num_attention_heads\":2", "\"num_attention_heads\":4"), "must be 32 or 64"},
      {with("\"num_hidden_layers\":2", "\"num_hidden_layers\":1000000"), "num_hidden_layers"},
      {with("\"intermediate_size\":128", "\"intermediate_size\":130"), "intermediate_size"},
      {with("512", "4294967296"), "max_position_embeddings"},
      {with("1e-12", "0"), "layer_norm_eps"},
      {with("1e-12", "\"1e-12\""), "layer_norm_eps"},
      {"[1]", "model_type"},
      {"{", "not valid JSON"},
      {"", "not valid JSON"},
  };
  for (const auto& [json, says] : kCases) {
    const auto config = parse_config(json);
    ASSERT_FALSE(config) << json;
    EXPECT_NE(config.error().message().find(says), std::string::npos) << config.error().message();
  }
}

TEST(model_config, max_seq_length_is_a_number_of_tokens_or_absent) {
  EXPECT_EQ(*parse_max_seq_length(R"({"max_seq_length": 384})"), 384U);
  EXPECT_EQ(*parse_max_seq_length("{}"), 0U);
  EXPECT_EQ(*parse_max_seq_length(R"({"max_seq_length": null})"), 0U);
  for (const char* json : {R"({"max_seq_length": 0})", R"({"max_seq_length": -1})",
                           R"({"max_seq_length": "256"})", "nonsense"}) {
    EXPECT_FALSE(parse_max_seq_length(json)) << json;
  }
}

TEST(model_config, only_mean_pooling_and_the_three_modules_pass) {
  EXPECT_TRUE(check_pooling(
      R"({"word_embedding_dimension":384,"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":false})"));
  EXPECT_FALSE(check_pooling(R"({"pooling_mode_mean_tokens":true,"pooling_mode_max_tokens":true})"));
  EXPECT_FALSE(check_pooling(R"({"pooling_mode_cls_token":true})"));
  EXPECT_FALSE(check_pooling(R"({})"));
  EXPECT_FALSE(check_pooling(R"([])"));
  const std::string transformer = R"({"type":"sentence_transformers.models.Transformer"})";
  const std::string pooling = R"({"type":"sentence_transformers.models.Pooling"})";
  const std::string unit = R"({"type":"sentence_transformers.models.Normalize"})";
  const std::string dense = R"({"type":"sentence_transformers.models.Dense"})";
  EXPECT_TRUE(check_modules("[" + transformer + "," + pooling + "," + unit + "]"));
  EXPECT_FALSE(check_modules("[" + transformer + "," + pooling + "]"));
  EXPECT_FALSE(check_modules("[" + transformer + "," + pooling + "," + dense + "," + unit + "]"));
  EXPECT_FALSE(check_modules("[" + transformer + "," + pooling + "," + unit + "," + dense + "]"));
  EXPECT_FALSE(check_modules("[1]"));
  EXPECT_FALSE(check_modules("{}"));
}

TEST(model_config, a_missing_folder_is_an_error_that_names_the_file) {
  const auto config = read_model_config("/nonexistent");
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message().find("/nonexistent/config.json"), std::string::npos);
}

}  // namespace
}  // namespace embedrouter::inference
