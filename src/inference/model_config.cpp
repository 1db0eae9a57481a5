#include "inference/model_config.h"

#include <algorithm>
#include <array>
#include <string>

#include "inference/config_file.h"
#include "inference/kernels.h"

namespace embedrouter::inference {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kDefaultMaxTokens = 256;
constexpr std::uint32_t kMostPadding = 63;  // rows of the position table before a text's first

// What config.json calls the members of a family.
struct Names {
  const char *width, *layers, *heads, *inner_width, *activation;
};
constexpr Names kBertNames{"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                           "hidden_act"};
constexpr Names kDistilbertNames{"dim", "n_layers", "n_heads", "hidden_dim", "activation"};

// How a `model_type` is run.
struct Kind {
  Family family;
  bool padded;  // positions start behind the padding's
};

Result<void> read_shape(const ConfigFile& file, const Names& names, ModelConfig& config) {
  struct Member {
    const char* name;
    std::uint32_t ModelConfig::* to;
    std::uint32_t least, most;
  };
  const std::array<Member, 6> members{
      {{"vocab_size", &ModelConfig::vocabulary, 1, 10'000'000},
       {names.width, &ModelConfig::width, 32, 8192},
       {names.layers, &ModelConfig::layers, 1, 128},
       {names.heads, &ModelConfig::heads, 1, 256},
       {names.inner_width, &ModelConfig::inner_width, 16, 65536},
       {"max_position_embeddings", &ModelConfig::position_rows, 4, kMaxTokensPerText + kMostPadding + 1}}};
  for (const Member& member : members) {
    const auto value = file.count(member.name, member.least, member.most);
    if (!value) return fail(value.error());
    config.*member.to = *value;
  }
  if (config.width % config.heads != 0 || (config.head_width() != 32 && config.head_width() != 64))
    return file.wrong(std::string(names.width) + " over " + names.heads + " must be 32 or 64");
  if (config.inner_width % 16 != 0)
    return file.wrong('"' + std::string(names.inner_width) + "\" must be a multiple of 16");
  return {};
}

Result<void> read_positions(const ConfigFile& file, bool padded, ModelConfig& config) {
  if (padded) {
    const auto padding =
        file.lacks("pad_token_id") ? Result<std::uint32_t>(1U) : file.count("pad_token_id", 0, kMostPadding);
    if (!padding) return fail(padding.error());
    config.padding_id = *padding;
    config.first_position = *padding + 1;
  }
  if (config.position_rows < config.first_position + 4 || config.positions() > kMaxTokensPerText) {
    return file.wrong("\"max_position_embeddings\" must leave 4 to " + std::to_string(kMaxTokensPerText) +
                      " tokens to a text");
  }
  config.max_tokens = std::min(kDefaultMaxTokens, config.positions());
  return {};
}

// DistilBERT's is in its code.
Result<float> read_epsilon(const ConfigFile& file, Family family) {
  if (family == Family::distilbert) return 1e-12F;
  double epsilon = 0;
  if (file.root()["layer_norm_eps"].get_double().get(epsilon) != simdjson::SUCCESS || !(epsilon > 0) ||
      epsilon > 0.1) {
    return file.wrong("\"layer_norm_eps\" must be a small positive number");
  }
  return static_cast<float>(epsilon);
}

// Members that BERT's code reads to become something else.
Result<void> check_plain(const ConfigFile& file) {
  if (!file.lacks("position_embedding_type")) {
    const auto type = file.choice<bool>("position_embedding_type", {{"absolute", true}});
    if (!type) return fail(type.error());
  }
  for (const char* member : {"is_decoder", "add_cross_attention"}) {
    const auto value = file.flag(member, false);
    if (!value) return fail(value.error());
    if (*value) return file.wrong('"' + std::string(member) + "\": true is not supported");
  }
  return {};
}

// Runs `use` over the text of a file that may be absent.
template <class Use>
Result<void> with_text(const fs::path& path, Use use) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  auto text = read_config_text(path);
  if (!text) return fail(std::move(text).error());
  return use(*text);
}

// What stands behind the encoder: one pooling, layers, then unit length or not.
Result<void> read_module(const fs::path& folder, const Module& module, ModelConfig& config) {
  const fs::path file = module.folder / "config.json";
  auto text = read_config_text(folder / file);
  if (!text) return fail(std::move(text).error());
  if (module.type == "Pooling") return parse_pooling(*text, file.string(), config);
  auto dense = parse_dense(*text, file.string());
  if (!dense) return fail(std::move(dense).error());
  if (dense->in != config.output_width()) {
    return fail(ErrorCode::internal, file.string() + ": \"in_features\" is " + std::to_string(dense->in) +
                                         ", what comes before makes " +
                                         std::to_string(config.output_width()));
  }
  dense->folder = module.folder;
  config.dense.push_back(std::move(*dense));
  return {};
}

}  // namespace

Result<ModelConfig> parse_config(std::string_view json) {
  const auto file = ConfigFile::parse(json, "config.json");
  if (!file) return fail(file.error());
  const auto kind = file->choice<Kind>("model_type", {{"bert", {Family::bert, false}},
                                                      {"distilbert", {Family::distilbert, false}},
                                                      {"mpnet", {Family::mpnet, true}},
                                                      {"roberta", {Family::bert, true}},
                                                      {"xlm-roberta", {Family::bert, true}}});
  if (!kind) return fail(kind.error());
  ModelConfig config;
  config.family = kind->family;
  const Names& names = config.family == Family::distilbert ? kDistilbertNames : kBertNames;
  const auto activation =
      file->choice<Activation>(names.activation, {{"gelu", Activation::gelu},
                                                  {"gelu_new", Activation::gelu_tanh},
                                                  {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                  {"gelu_fast", Activation::gelu_tanh},
                                                  {"relu", Activation::relu}});
  if (!activation) return fail(activation.error());
  config.activation = *activation;
  if (auto plain = check_plain(*file); !plain) return fail(std::move(plain).error());
  if (auto read = read_shape(*file, names, config); !read) return fail(std::move(read).error());
  if (auto read = read_positions(*file, kind->padded, config); !read) return fail(std::move(read).error());
  const auto epsilon = read_epsilon(*file, config.family);
  if (!epsilon) return fail(epsilon.error());
  config.layer_norm_epsilon = *epsilon;
  if (config.family == Family::bert) {
    const auto types = file->count("type_vocab_size", 1, 64);
    if (!types) return fail(types.error());
    config.token_types = *types;
  }
  if (config.family == Family::mpnet) {
    const auto buckets = file->lacks("relative_attention_num_buckets")
                             ? Result<std::uint32_t>(32U)
                             : file->count("relative_attention_num_buckets", 4, 1024);
    if (!buckets) return fail(buckets.error());
    if (*buckets % 4 != 0) return file->wrong("\"relative_attention_num_buckets\" must be a multiple of 4");
    config.distance_buckets = *buckets;
  }
  return config;
}

Result<ModelConfig> read_model_config(const fs::path& folder) {
  // Without modules.json: the encoder here, the mean, unit length.
  std::vector<Module> modules{{"Transformer", ""}, {"Normalize", ""}};
  const auto listed = with_text(folder / "modules.json", [&modules](std::string_view json) -> Result<void> {
    auto parsed = parse_modules(json);
    if (!parsed) return fail(std::move(parsed).error());
    modules = std::move(*parsed);
    return {};
  });
  if (!listed) return fail(listed.error());
  const fs::path& encoder = modules.front().folder;
  const auto text = read_config_text(folder / encoder / "config.json");
  if (!text) return fail(text.error());
  auto config = parse_config(*text);
  if (!config) return config;
  config->encoder_folder = encoder;
  config->normalizes = modules.back().type == "Normalize";
  for (const Module& module : modules) {
    if (module.type != "Pooling" && module.type != "Dense") continue;
    if (auto read = read_module(folder, module, *config); !read) return fail(std::move(read).error());
  }
  const auto limited =
      with_text(folder / encoder / "sentence_bert_config.json",
                [&config](std::string_view json) { return parse_sentence_config(json, *config); });
  if (!limited) return fail(limited.error());
  const auto prompted = with_text(folder / "config_sentence_transformers.json",
                                  [&config](std::string_view json) { return parse_prompts(json, *config); });
  if (!prompted) return fail(prompted.error());
  return config;
}

}  // namespace embedrouter::inference
