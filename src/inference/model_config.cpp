#include "inference/model_config.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "inference/kernels.h"

namespace embedrouter::inference {
namespace {

namespace fs = std::filesystem;
using simdjson::dom::element;

constexpr std::uint32_t kDefaultMaxTokens = 256;
constexpr std::size_t kLargestFile = 4 << 20;  // of JSON beside the weights

auto wrong(std::string what) {
  return fail(ErrorCode::internal, std::move(what));
}

Result<element> parse(simdjson::dom::parser& parser, std::string_view json, std::string_view file) {
  element root;
  if (parser.parse(simdjson::padded_string(json)).get(root) != simdjson::SUCCESS) {
    return wrong(std::string(file) + " is not valid JSON");
  }
  return root;
}

Result<std::uint32_t> count(element root, const char* name, std::uint32_t least, std::uint32_t most) {
  std::uint64_t value = 0;
  if (root[name].get_uint64().get(value) != simdjson::SUCCESS || value < least || value > most) {
    return wrong("config.json: \"" + std::string(name) + "\" must be a number from " + std::to_string(least) +
                 " to " + std::to_string(most));
  }
  return static_cast<std::uint32_t>(value);
}

// `name` must be the one word the engine implements; absent counts as that word unless it is required.
Result<void> word(element root, const char* name, std::string_view only, bool required) {
  const auto member = root[name];
  if (member.error() == simdjson::NO_SUCH_FIELD && !required) return {};
  std::string_view value;
  if (member.get_string().get(value) != simdjson::SUCCESS || value != only) {
    return wrong("config.json: only \"" + std::string(name) + "\": \"" + std::string(only) +
                 "\" is supported");
  }
  return {};
}

Result<std::string> read_text(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return wrong("cannot read " + path.string() + ": " + error.message());
  if (size > kLargestFile) return wrong(path.string() + " is too large to be a configuration file");
  std::string text(size, '\0');
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  const bool whole = file != nullptr && std::fread(text.data(), 1, size, file) == size;
  if (file != nullptr) std::fclose(file);
  if (!whole) return wrong("cannot read " + path.string());
  return text;
}

// Runs `check` over a file that may be absent; messages then name the file.
template <class Check>
Result<void> check_file(const fs::path& path, Check check) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  auto text = read_text(path);
  if (!text) return fail(std::move(text).error());
  return check(*text);
}

}  // namespace

Result<ModelConfig> parse_config(std::string_view json) {
  simdjson::dom::parser parser;
  const auto root = parse(parser, json, "config.json");
  if (!root) return fail(root.error());
  for (const auto& checked :
       {word(*root, "model_type", "bert", true), word(*root, "hidden_act", "gelu", true),
        word(*root, "position_embedding_type", "absolute", false)}) {
    if (!checked) return fail(checked.error());
  }
  struct Member {
    const char* name;
    std::uint32_t ModelConfig::* to;
    std::uint32_t least, most;
  };
  constexpr std::array<Member, 7> kMembers{
      {{"vocab_size", &ModelConfig::vocabulary, 1, 10'000'000},
       {"hidden_size", &ModelConfig::width, 32, 8192},
       {"num_hidden_layers", &ModelConfig::layers, 1, 128},
       {"num_attention_heads", &ModelConfig::heads, 1, 256},
       {"intermediate_size", &ModelConfig::inner_width, 16, 65536},
       {"max_position_embeddings", &ModelConfig::positions, 4, kMaxTokensPerText},
       {"type_vocab_size", &ModelConfig::token_types, 1, 64}}};
  ModelConfig config;
  for (const Member& member : kMembers) {
    const auto value = count(*root, member.name, member.least, member.most);
    if (!value) return fail(value.error());
    config.*member.to = *value;
  }
  double epsilon = 0;
  if ((*root)["layer_norm_eps"].get_double().get(epsilon) != simdjson::SUCCESS || !(epsilon > 0) ||
      epsilon > 0.1) {
    return wrong("config.json: \"layer_norm_eps\" must be a small positive number");
  }
  config.layer_norm_epsilon = static_cast<float>(epsilon);
  if (config.width % config.heads != 0 || (config.head_width() != 32 && config.head_width() != 64)) {
    return wrong("config.json: hidden_size over num_attention_heads must be 32 or 64");
  }
  if (config.inner_width % 16 != 0)
    return wrong("config.json: \"intermediate_size\" must be a multiple of 16");
  config.max_tokens = std::min(kDefaultMaxTokens, config.positions);
  return config;
}

Result<std::uint32_t> parse_max_seq_length(std::string_view json) {
  simdjson::dom::parser parser;
  const auto root = parse(parser, json, "sentence_bert_config.json");
  if (!root) return fail(root.error());
  const auto member = (*root)["max_seq_length"];
  if (member.error() == simdjson::NO_SUCH_FIELD || member.is_null()) return 0U;
  std::uint64_t value = 0;
  if (member.get_uint64().get(value) != simdjson::SUCCESS || value < 4 || value > kMaxTokensPerText) {
    return wrong("sentence_bert_config.json: \"max_seq_length\" must be a number from 4 to " +
                 std::to_string(kMaxTokensPerText));
  }
  return static_cast<std::uint32_t>(value);
}

Result<void> check_modules(std::string_view json) {
  simdjson::dom::parser parser;
  const auto root = parse(parser, json, "modules.json");
  if (!root) return fail(root.error());
  simdjson::dom::array modules;
  if (root->get_array().get(modules) != simdjson::SUCCESS) return wrong("modules.json must be a list");
  constexpr std::array<std::string_view, 3> kPipeline{"Transformer", "Pooling", "Normalize"};
  std::size_t place = 0;
  for (const element module : modules) {
    std::string_view type;
    if (module["type"].get_string().get(type) != simdjson::SUCCESS)
      return wrong("modules.json: a module has no type");
    const std::string_view name = type.substr(type.rfind('.') + 1);
    if (place == kPipeline.size() || name != kPipeline[place++]) {
      return wrong("modules.json: only Transformer, Pooling, Normalize, in that order, are supported");
    }
  }
  if (place != kPipeline.size()) {
    return wrong("modules.json: all of Transformer, Pooling, Normalize are needed, others are not supported");
  }
  return {};
}

Result<void> check_pooling(std::string_view json) {
  simdjson::dom::parser parser;
  const auto root = parse(parser, json, "1_Pooling/config.json");
  if (!root) return fail(root.error());
  simdjson::dom::object members;
  if (root->get_object().get(members) != simdjson::SUCCESS)
    return wrong("1_Pooling/config.json must be an object");
  bool mean = false;
  for (const auto& [name, value] : members) {
    bool on = false;
    if (!name.starts_with("pooling_mode_") || value.get_bool().get(on) != simdjson::SUCCESS || !on) continue;
    if (name != "pooling_mode_mean_tokens") {
      return wrong("1_Pooling/config.json: only mean pooling is supported, not " + std::string(name));
    }
    mean = true;
  }
  if (!mean) return wrong("1_Pooling/config.json: \"pooling_mode_mean_tokens\" must be true");
  return {};
}

Result<ModelConfig> read_model_config(const fs::path& folder) {
  const auto text = read_text(folder / "config.json");
  if (!text) return fail(text.error());
  auto config = parse_config(*text);
  if (!config) return config;
  const auto limited =
      check_file(folder / "sentence_bert_config.json", [&config](std::string_view json) -> Result<void> {
        const auto length = parse_max_seq_length(json);
        if (!length) return fail(length.error());
        if (*length != 0) config->max_tokens = std::min(*length, config->positions);
        return {};
      });
  if (!limited) return fail(limited.error());
  const auto modules = check_file(folder / "modules.json", check_modules);
  if (!modules) return fail(modules.error());
  const auto pooling = check_file(folder / "1_Pooling/config.json", check_pooling);
  if (!pooling) return fail(pooling.error());
  return config;
}

}  // namespace embedrouter::inference
