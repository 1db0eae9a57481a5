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
  EXPECT_EQ(config->positions(), 512U);
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
      {with("\"gelu\"", "\"silu\""), "hidden_act"},
      {with("\"bert\"", "\"distilbert\""), "activation"},
      {with("\"bert\"", "\"mpnet\",\"relative_attention_num_buckets\":30"), "relative_attention_num_buckets"},
      {with("\"bert\"", "\"roberta\",\"pad_token_id\":64"), "pad_token_id"},
      {with("\"max_position_embeddings\":512", "\"max_position_embeddings\":8193"),
       "max_position_embeddings"},
      {with("\"bert\"", "\"bert\",\"is_decoder\":true"), "is_decoder"},
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

TEST(model_config, families_count_positions_from_behind_the_padding) {
  const auto plain = parse_config(kConfig);
  ASSERT_TRUE(plain) << plain.error().message();
  EXPECT_EQ(plain->first_position, 0U);
  EXPECT_EQ(plain->padding_id, ModelConfig::kNoPadding);
  for (const char* type : {"\"roberta\"", "\"xlm-roberta\"", "\"mpnet\""}) {
    const auto config = parse_config(with("\"bert\"", type));
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->first_position, 2U);
    EXPECT_EQ(config->padding_id, 1U);
    EXPECT_EQ(config->positions(), 510U);
  }
  EXPECT_EQ(parse_config(with("\"bert\"", "\"roberta\",\"pad_token_id\":0"))->first_position, 1U);
}

TEST(model_config, activations_go_by_their_names) {
  EXPECT_EQ(parse_config(with("\"gelu\"", "\"relu\""))->activation, Activation::relu);
  EXPECT_EQ(parse_config(with("\"gelu\"", "\"gelu_new\""))->activation, Activation::gelu_tanh);
  EXPECT_EQ(parse_config(kConfig)->activation, Activation::gelu);
}

TEST(model_config, max_seq_length_is_a_number_of_tokens_or_absent) {
  const auto limit = [](std::string_view json) {
    ModelConfig config = *parse_config(kConfig);
    const auto read = parse_sentence_config(json, config);
    return read ? config.max_tokens : 0;
  };
  EXPECT_EQ(limit(R"({"max_seq_length": 384})"), 384U);
  EXPECT_EQ(limit(R"({"max_seq_length": 4096})"), 512U) << "no more than the position table has";
  EXPECT_EQ(limit("{}"), 256U);
  EXPECT_EQ(limit(R"({"max_seq_length": null, "do_lower_case": false})"), 256U);
  for (const char* json : {R"({"max_seq_length": 0})", R"({"max_seq_length": -1})",
                           R"({"max_seq_length": "256"})", R"({"do_lower_case": true})", "nonsense"}) {
    EXPECT_EQ(limit(json), 0U) << json;
  }
}

TEST(model_config, pooling_is_one_mode) {
  const auto says = [](std::string_view json) -> std::string {
    ModelConfig config;
    const auto read = parse_pooling(json, "1_Pooling/config.json", config);
    return read ? std::to_string(static_cast<int>(config.pooling)) +
                      (config.pools_prompt ? "" : " without prompt")
                : read.error().message();
  };
  const auto named = [](Pooling pooling) { return std::to_string(static_cast<int>(pooling)); };
  EXPECT_EQ(
      says(
          R"({"word_embedding_dimension":384,"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":false})"),
      named(Pooling::mean));
  EXPECT_EQ(says(R"({"pooling_mode_lasttoken":true,"include_prompt":false})"),
            named(Pooling::last) + " without prompt");
  EXPECT_EQ(says(R"({"pooling_mode":"cls","embedding_dimension":384})"), named(Pooling::cls));
  EXPECT_EQ(says(R"({"pooling_mode_mean_tokens":true,"pooling_mode_max_tokens":true})"),
            "1_Pooling/config.json: \"pooling_mode_mean_tokens\" and \"pooling_mode_max_tokens\" together "
            "are not supported");
  EXPECT_EQ(says(R"({"pooling_mode_new":true})"),
            "1_Pooling/config.json: \"pooling_mode_new\" is not supported");
  EXPECT_EQ(says(R"({"pooling_mode":"new"})"),
            "1_Pooling/config.json: \"pooling_mode\" is \"new\", which is not supported");
  EXPECT_EQ(says(R"({"pooling_mode":["cls","max"]})"),
            "1_Pooling/config.json: \"pooling_mode\" must be one name; several together are not supported");
  EXPECT_EQ(says("{}"),
            "1_Pooling/config.json: no member says how to pool, such as \"pooling_mode_mean_tokens\": true");
  EXPECT_EQ(says("[]"), "1_Pooling/config.json: must be an object");
}

TEST(model_config, modules_are_an_encoder_a_pooling_layers_and_unit_length) {
  const auto module = [](const std::string& type, const std::string& path) {
    return R"({"idx":0,"path":")" + path + R"(","type":"sentence_transformers.models.)" + type + "\"}";
  };
  const std::string transformer = module("Transformer", ""), pooling = module("Pooling", "1_Pooling"),
                    unit = module("Normalize", "2_Normalize"), dense = module("Dense", "2_Dense");
  const auto list =
      parse_modules("[" + transformer + "," + pooling + "," + dense + "," + dense + "," + unit + "]");
  ASSERT_TRUE(list) << list.error().message();
  EXPECT_EQ((*list)[2].folder, "2_Dense");
  EXPECT_EQ((*list)[4].type, "Normalize");
  EXPECT_TRUE(parse_modules("[" + transformer + "," + pooling + "]"));
  EXPECT_FALSE(parse_modules("[" + transformer + "]"));
  EXPECT_FALSE(parse_modules("[" + pooling + "," + transformer + "]"));
  EXPECT_FALSE(parse_modules("[" + transformer + "," + pooling + "," + unit + "," + dense + "]"));
  EXPECT_FALSE(parse_modules("[" + transformer + "," + pooling + "," + module("LSTM", "2_LSTM") + "]"));
  EXPECT_FALSE(parse_modules("[" + transformer + "," + module("Pooling", "../other") + "]"));
  EXPECT_FALSE(parse_modules("[" + transformer + "," + module("Pooling", "/other") + "]"));
  EXPECT_FALSE(parse_modules("[1]"));
  EXPECT_FALSE(parse_modules("[]"));
  EXPECT_FALSE(parse_modules("{}"));
}

TEST(model_config, a_dense_layer_is_refused_by_member) {
  const std::string good =
      R"({"in_features":64,"out_features":32,"bias":true,"activation_function":"torch.nn.modules.activation.Tanh"})";
  const auto dense = parse_dense(good, "2_Dense/config.json");
  ASSERT_TRUE(dense) << dense.error().message();
  EXPECT_EQ(dense->activation, Activation::tanh);
  for (const auto& [from, to] : {std::pair("64", "0"), std::pair("32", "99999"), std::pair("true", "1"),
                                 std::pair("Tanh", "SiLU"), std::pair("}", ",\"use_residual\":true}"),
                                 std::pair("}", ",\"module_input_name\":\"token_embeddings\"}")}) {
    std::string json = good;
    json.replace(json.find(from), std::string_view(from).size(), to);
    const auto refused = parse_dense(json, "2_Dense/config.json");
    ASSERT_FALSE(refused) << json;
    EXPECT_EQ(refused.error().message().find("2_Dense/config.json: \""), 0U) << refused.error().message();
  }
}

TEST(model_config, a_prompt_is_chosen_by_input_type) {
  ModelConfig config;
  ASSERT_TRUE(parse_prompts(R"({"prompts": {"query": "q: ", "passage": "p: ", "sts": "s: ", "document": null},
                               "default_prompt_name": "sts"})",
                            config));
  EXPECT_EQ(config.prompt_for("query"), "q: ");
  EXPECT_EQ(config.prompt_for("search_query"), "q: ");
  EXPECT_EQ(config.prompt_for("search_document"), "p: ");
  EXPECT_EQ(config.prompt_for("document"), "p: ");
  EXPECT_EQ(config.prompt_for("sts"), "s: ");
  EXPECT_EQ(config.prompt_for(std::nullopt), "s: ");
  EXPECT_EQ(config.prompt_for("clustering"), std::nullopt);
  const ModelConfig plain;
  EXPECT_EQ(plain.prompt_for("search_query"), "");
  EXPECT_EQ(plain.prompt_for(std::nullopt), "");
  EXPECT_EQ(plain.prompt_for("sts"), std::nullopt);
  for (const char* json : {R"({"prompts": []})", R"({"prompts": {"query": 1}})",
                           R"({"default_prompt_name": "query"})", "nonsense"}) {
    ModelConfig none;
    EXPECT_FALSE(parse_prompts(json, none)) << json;
  }
}

TEST(model_config, a_missing_folder_is_an_error_that_names_the_file) {
  const auto config = read_model_config("/nonexistent");
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message().find("/nonexistent/config.json"), std::string::npos);
}

}  // namespace
}  // namespace embedrouter::inference
