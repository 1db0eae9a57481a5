#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace embedrouter::inference {

// What the files beside the weights say about an encoder. Checked: every number is in a range the engine can
// run.
struct ModelConfig {
  std::uint32_t vocabulary = 0, width = 0, layers = 0, heads = 0, inner_width = 0;
  std::uint32_t positions = 0;  // rows of the position table
  std::uint32_t token_types = 0;
  float layer_norm_epsilon = 0;
  std::uint32_t max_tokens = 0;  // max_seq_length, at most `positions`; 256 where no file says

  std::uint32_t head_width() const noexcept { return width / heads; }
};

// Reads config.json, and where present sentence_bert_config.json, modules.json and 1_Pooling/config.json.
// What the engine does not do (another architecture, activation or pooling, a Dense module) is refused by
// name.
Result<ModelConfig> read_model_config(const std::filesystem::path& folder);

// The parts of it, each over the text of one file.
Result<ModelConfig> parse_config(std::string_view json);
Result<std::uint32_t> parse_max_seq_length(
    std::string_view json);  // of sentence_bert_config.json; 0: it does not say
Result<void> check_modules(std::string_view json);
Result<void> check_pooling(std::string_view json);

}  // namespace embedrouter::inference
