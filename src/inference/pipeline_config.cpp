// The files that sentence-transformers puts beside a model.
#include <algorithm>
#include <array>

#include "inference/config_file.h"
#include "inference/kernels.h"
#include "inference/model_config.h"

namespace embedrouter::inference {
namespace {

constexpr std::uint32_t kWidestDense = 8192;
constexpr std::size_t kMostModules = 8, kMostPrompts = 64, kLongestPrompt = 4096;

struct Mode {
  std::string_view name;      // in `pooling_mode`
  std::string_view old_flag;  // in older files, a member of its own
  Pooling pooling;
};
constexpr std::array<Mode, 6> kModes{
    {{"cls", "pooling_mode_cls_token", Pooling::cls},
     {"max", "pooling_mode_max_tokens", Pooling::max},
     {"mean", "pooling_mode_mean_tokens", Pooling::mean},
     {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", Pooling::mean_sqrt},
     {"weightedmean", "pooling_mode_weightedmean_tokens", Pooling::weighted_mean},
     {"lasttoken", "pooling_mode_lasttoken", Pooling::last}}};

// A folder below the model's, or the model's own.
bool stays_below(const std::filesystem::path& folder) {
  return folder.is_relative() && std::ranges::none_of(folder, [](const auto& part) { return part == ".."; });
}

Result<void> check_order(const ConfigFile& file, const std::vector<Module>& modules) {
  constexpr std::string_view kRule =
      "only Transformer, Pooling, then Dense any number of times, then Normalize or not, are supported";
  const std::size_t last = modules.size() - (!modules.empty() && modules.back().type == "Normalize" ? 1 : 0);
  const bool begins = modules.size() >= 2 && modules[0].type == "Transformer" && modules[1].type == "Pooling";
  if (!begins) return file.wrong(std::string(kRule));
  for (std::size_t i = 2; i < last; ++i) {
    if (modules[i].type != "Dense")
      return file.wrong("module " + std::to_string(i) + " is " + modules[i].type.substr(0, 60) + "; " +
                        std::string(kRule));
  }
  return {};
}

// The one mode that an older file switches on.
Result<Pooling> read_old_pooling(const ConfigFile& file) {
  simdjson::dom::object members;
  if (file.root().get_object().get(members) != simdjson::SUCCESS) return file.wrong("must be an object");
  const Mode* found = nullptr;
  for (const auto& [name, value] : members) {
    bool on = false;
    if (!name.starts_with("pooling_mode_") || value.get_bool().get(on) != simdjson::SUCCESS || !on) continue;
    const auto* mode = std::ranges::find(kModes, name, &Mode::old_flag);
    if (mode == kModes.end())
      return file.wrong('"' + std::string(name.substr(0, 60)) + "\" is not supported");
    if (found != nullptr)
      return file.wrong('"' + std::string(found->old_flag) + "\" and \"" + std::string(mode->old_flag) +
                        "\" together are not supported");
    found = mode;
  }
  if (found == nullptr)
    return file.wrong("no member says how to pool, such as \"pooling_mode_mean_tokens\": true");
  return found->pooling;
}

// What is behind the last point: "torch.nn.modules.activation.Tanh".
std::string_view last_name(std::string_view type) {
  return type.substr(type.rfind('.') + 1);
}

}  // namespace

Result<std::vector<Module>> parse_modules(std::string_view json) {
  const auto file = ConfigFile::parse(json, "modules.json");
  if (!file) return fail(file.error());
  simdjson::dom::array list;
  if (file->root().get_array().get(list) != simdjson::SUCCESS) return file->wrong("must be a list");
  std::vector<Module> modules;
  for (const simdjson::dom::element from : list) {
    std::string_view type;
    std::string_view path;
    if (from["type"].get_string().get(type) != simdjson::SUCCESS) return file->wrong("a module has no type");
    if (from["path"].get_string().get(path) != simdjson::SUCCESS) return file->wrong("a module has no path");
    if (!stays_below(path)) return file->wrong("a \"path\" leads out of the model's folder");
    if (modules.size() == kMostModules)
      return file->wrong("has more than " + std::to_string(kMostModules) + " modules");
    modules.push_back({std::string(last_name(type)), path});
  }
  if (auto ordered = check_order(*file, modules); !ordered) return fail(std::move(ordered).error());
  return modules;
}

Result<void> parse_pooling(std::string_view json, std::string_view name, ModelConfig& config) {
  const auto file = ConfigFile::parse(json, name);
  if (!file) return fail(file.error());
  if (file->lacks("pooling_mode")) {
    const auto pooling = read_old_pooling(*file);
    if (!pooling) return fail(pooling.error());
    config.pooling = *pooling;
  } else {
    const auto mode = file->text("pooling_mode");
    if (!mode) return file->wrong("\"pooling_mode\" must be one name; several together are not supported");
    const auto* known = std::ranges::find(kModes, *mode, &Mode::name);
    if (known == kModes.end())
      return file->wrong("\"pooling_mode\" is \"" + std::string(mode->substr(0, 60)) +
                         "\", which is not supported");
    config.pooling = known->pooling;
  }
  const auto prompt = file->flag("include_prompt", true);
  if (!prompt) return fail(prompt.error());
  config.pools_prompt = *prompt;
  return {};
}

Result<DenseConfig> parse_dense(std::string_view json, std::string_view name) {
  const auto file = ConfigFile::parse(json, name);
  if (!file) return fail(file.error());
  DenseConfig dense;
  for (const auto& [member, to] :
       {std::pair("in_features", &dense.in), std::pair("out_features", &dense.out)}) {
    const auto value = file->count(member, 1, kWidestDense);
    if (!value) return fail(value.error());
    *to = *value;
  }
  const auto bias = file->flag("bias", true);
  if (!bias) return fail(bias.error());
  dense.bias = *bias;
  if (!file->lacks("activation_function")) {
    const auto function = file->choice<Activation>(
        "activation_function", {{"torch.nn.modules.activation.Tanh", Activation::tanh},
                                {"torch.nn.modules.linear.Identity", Activation::identity},
                                {"torch.nn.modules.activation.ReLU", Activation::relu},
                                {"torch.nn.modules.activation.GELU", Activation::gelu}});
    if (!function) return fail(function.error());
    dense.activation = *function;
  }
  const auto residual = file->flag("use_residual", false);
  if (!residual) return fail(residual.error());
  if (*residual) return file->wrong("\"use_residual\": true is not supported");
  for (const char* member : {"module_input_name", "module_output_name"}) {
    if (file->lacks(member)) continue;
    const auto between = file->choice<bool>(member, {{"sentence_embedding", true}});
    if (!between) return fail(between.error());
  }
  return dense;
}

Result<void> parse_sentence_config(std::string_view json, ModelConfig& config) {
  const auto file = ConfigFile::parse(json, "sentence_bert_config.json");
  if (!file) return fail(file.error());
  const auto lower = file->flag("do_lower_case", false);
  if (!lower) return fail(lower.error());
  if (*lower) {
    return file->wrong(
        "\"do_lower_case\": true is not supported; set it to false where the normalizer of tokenizer.json "
        "lowers already");
  }
  if (file->lacks("max_seq_length")) return {};
  const auto length = file->count("max_seq_length", 4, 1'000'000);
  if (!length) return fail(length.error());
  config.max_tokens = std::min(*length, config.positions());
  return {};
}

Result<void> parse_prompts(std::string_view json, ModelConfig& config) {
  const auto file = ConfigFile::parse(json, "config_sentence_transformers.json");
  if (!file) return fail(file.error());
  if (!file->lacks("prompts")) {
    simdjson::dom::object prompts;
    if (file->root()["prompts"].get_object().get(prompts) != simdjson::SUCCESS)
      return file->wrong("\"prompts\" must be an object");
    for (const auto& [name, value] : prompts) {
      std::string_view text;
      if (value.is_null()) continue;  // no prompt of its own
      if (value.get_string().get(text) != simdjson::SUCCESS || text.size() > kLongestPrompt)
        return file->wrong("\"prompts\" must hold strings of at most " + std::to_string(kLongestPrompt) +
                           " bytes");
      if (config.prompts.size() == kMostPrompts)
        return file->wrong("\"prompts\" has more than " + std::to_string(kMostPrompts) + " members");
      config.prompts.emplace(name, text);
    }
  }
  if (file->lacks("default_prompt_name")) return {};
  const auto name = file->text("default_prompt_name");
  if (!name) return fail(name.error());
  if (!config.prompts.contains(*name)) return file->wrong("\"default_prompt_name\" is not among the prompts");
  config.default_prompt = *name;
  return {};
}

std::optional<std::string_view> ModelConfig::prompt_for(std::optional<std::string_view> input_type) const {
  const auto first_of = [this](std::initializer_list<std::string_view> names) -> std::string_view {
    for (const std::string_view name : names) {
      if (const auto found = prompts.find(name); found != prompts.end()) return found->second;
    }
    return "";
  };
  if (!input_type) return first_of({default_prompt});
  if (prompts.contains(*input_type)) return first_of({*input_type});
  if (*input_type == "query" || *input_type == "search_query") return first_of({"query"});
  if (*input_type == "document" || *input_type == "search_document" || *input_type == "passage")
    return first_of({"document", "passage", "corpus"});
  return std::nullopt;
}

}  // namespace embedrouter::inference
