#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::inference {

// Families by how they name their weights and what they add to BERT. RoBERTa and XLM-R are BERT with other
// positions.
enum class Family : std::uint8_t { bert, distilbert, mpnet };

enum class Activation : std::uint8_t { identity, tanh, gelu, gelu_tanh, relu };

// How the vectors of a text's tokens become one. `mean_sqrt` divides the sum by the root of their number;
// `weighted_mean` weighs a token by its place, from 1 on.
enum class Pooling : std::uint8_t { cls, max, mean, mean_sqrt, weighted_mean, last };

// A layer behind the pooling.
struct DenseConfig {
  std::filesystem::path folder;  // of its weights, below the model's
  std::uint32_t in = 0, out = 0;
  bool bias = true;
  Activation activation = Activation::tanh;
};

// What the files beside the weights say about an encoder. Checked: every number is in a range the engine can
// run.
struct ModelConfig {
  static constexpr std::uint32_t kNoPadding = 0xFFFFFFFF;

  Family family = Family::bert;
  std::uint32_t vocabulary = 0, width = 0, layers = 0, heads = 0, inner_width = 0;
  Activation activation = Activation::gelu;
  float layer_norm_epsilon = 0;
  // The position table: its rows, the row of a text's first token, and the token that has the row of its own
  // id and is not counted (RoBERTa's padding, which a text may spell out).
  std::uint32_t position_rows = 0, first_position = 0, padding_id = kNoPadding;
  std::uint32_t token_types = 0;       // 0: none
  std::uint32_t distance_buckets = 0;  // of MPNet's relative positions; 0: none
  std::uint32_t max_tokens = 0;        // max_seq_length, at most `positions`; 256 where no file says

  std::filesystem::path encoder_folder;  // below the model's; mostly empty, which is the model's own
  Pooling pooling = Pooling::mean;
  bool pools_prompt = true;  // the tokens of a prompt count
  std::vector<DenseConfig> dense;
  bool normalizes = true;                                   // vectors have unit length
  std::map<std::string, std::string, std::less<>> prompts;  // by name: what is put before a text
  std::string default_prompt;                               // a name; empty: none

  std::uint32_t head_width() const noexcept { return width / heads; }
  // The most tokens a text may have.
  std::uint32_t positions() const noexcept { return position_rows - first_position; }
  // Of the vectors.
  std::uint32_t output_width() const noexcept { return dense.empty() ? width : dense.back().out; }

  // The prompt of an `input_type`, as sentence-transformers chooses it: one of that name; else for
  // query or search_query that of "query", for document, search_document or passage the first there is of
  // "document", "passage", "corpus", and none if there is none; without a type the default. Nothing if the
  // model knows no such type.
  std::optional<std::string_view> prompt_for(std::optional<std::string_view> input_type) const;
};

// Reads config.json, and where present modules.json with what it names, sentence_bert_config.json and
// config_sentence_transformers.json. What the engine does not do is refused, naming file and member.
Result<ModelConfig> read_model_config(const std::filesystem::path& folder);

// The parts of it, each over the text of one file, into a configuration. `file` is its name in messages.
Result<ModelConfig> parse_config(std::string_view json);
Result<void> parse_sentence_config(std::string_view json, ModelConfig& config);
struct Module {
  std::string type;  // "Transformer", "Pooling", "Dense", "Normalize"
  std::filesystem::path folder;
};
Result<std::vector<Module>> parse_modules(std::string_view json);
Result<void> parse_pooling(std::string_view json, std::string_view file, ModelConfig& config);
Result<DenseConfig> parse_dense(std::string_view json, std::string_view file);
Result<void> parse_prompts(std::string_view json, ModelConfig& config);

}  // namespace embedrouter::inference
