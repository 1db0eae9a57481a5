#include "hub/files.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace embedrouter::hub {
namespace {

constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::array<std::string_view, 5> kBeside{"config.json", "config_sentence_transformers.json",
                                                  "modules.json", "sentence_bert_config.json",
                                                  "tokenizer.json"};

std::string_view take_digits(std::string_view& text) {
  const std::size_t n = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "model-00001-of-00003.safetensors"
bool is_part(std::string_view name) {
  return take(name, "model-") && !take_digits(name).empty() && take(name, "-of-") &&
         !take_digits(name).empty() && name == ".safetensors";
}

// "1_Pooling/", "2_Dense/", "0_Transformer/"; or the model's own, "".
bool is_folder_of_model(std::string_view folder) {
  if (folder.empty()) return true;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (take_digits(folder).empty() || !take(folder, "_") || !folder.ends_with('/')) return false;
  folder.remove_suffix(1);
  return !folder.empty() && std::ranges::all_of(folder, letter);
}

bool ends_with_any(const std::vector<std::string>& all, std::string_view ending) {
  return std::ranges::any_of(all, [&](const std::string& path) { return path.ends_with(ending); });
}

auto incomplete(std::string_view why) {
  return fail(ErrorCode::invalid_request, "this is no model for the embedding engine: " + std::string(why));
}

}  // namespace

Result<std::vector<std::string>> files_needed(const std::vector<std::string>& all) {
  const auto has = [&](const std::string& path) { return std::ranges::find(all, path) != all.end(); };
  const auto is_needed = [&](const std::string& path) {
    const std::size_t name_at = path.rfind('/') + 1;  // 0 where there is no slash
    const std::string folder = path.substr(0, name_at), name = path.substr(name_at);
    if (!is_folder_of_model(folder)) return false;
    if (std::ranges::find(kBeside, name) != kBeside.end()) return true;
    if (has(folder + kWhole)) return name == kWhole;
    return has(folder + kIndex) && (name == kIndex || is_part(name));
  };
  std::vector<std::string> needed;
  std::ranges::copy_if(all, std::back_inserter(needed), is_needed);
  std::ranges::sort(needed);
  needed.erase(std::ranges::unique(needed).begin(), needed.end());

  // The encoder's own files are the model's, or those of its first module.
  const auto holds = [&](const auto& is_wanted) {
    return std::ranges::any_of(needed, [&](const std::string& path) {
      constexpr std::string_view kEncoder = "_Transformer/";
      const std::size_t name_at = path.rfind('/') + 1;
      return (name_at == 0 || path.substr(0, name_at).ends_with(kEncoder)) && is_wanted(path.substr(name_at));
    });
  };
  if (!holds([](const std::string& name) { return name == "config.json"; }))
    return incomplete("it has no config.json");
  if (!holds([](const std::string& name) { return name == "tokenizer.json"; })) {
    return incomplete(
        "it has no tokenizer.json, only the older files of a tokenizer; transformers' "
        "AutoTokenizer.from_pretrained(…).save_pretrained(…) writes one");
  }
  if (!holds([](const std::string& name) { return name == kWhole || is_part(name); })) {
    const bool pickled = ends_with_any(all, ".bin") || ends_with_any(all, ".pt");
    return incomplete(pickled ? "its weights are in PyTorch's own format; what is read is model.safetensors, "
                                "which transformers' save_pretrained(…) writes"
                              : "it has no model.safetensors");
  }
  return needed;
}

}  // namespace embedrouter::hub
