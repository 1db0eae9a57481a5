#include "hub/files.h"

#include <algorithm>
#include <array>

namespace embedrouter::hub {
namespace {

constexpr std::string_view kWhole = "model.safetensors", kIndex = "model.safetensors.index.json";
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

// "1_Pooling/config.json", "2_Dense/model.safetensors"
bool is_of_module(std::string_view path) {
  if (take_digits(path).empty() || !take(path, "_")) return false;
  const std::size_t slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const std::string_view file = path.substr(slash + 1);
  return std::ranges::all_of(path.substr(0, slash), letter) && (file == "config.json" || file == kWhole);
}

bool ends_with_any(const std::vector<std::string>& all, std::string_view ending) {
  return std::ranges::any_of(all, [&](const std::string& path) { return path.ends_with(ending); });
}

auto incomplete(std::string_view why) {
  return fail(ErrorCode::invalid_request, "this is no model for the embedding engine: " + std::string(why));
}

}  // namespace

Result<std::vector<std::string>> files_needed(const std::vector<std::string>& all) {
  const auto has = [&](std::string_view path) { return std::ranges::find(all, path) != all.end(); };
  const bool whole = has(kWhole);
  std::vector<std::string> needed;
  bool parts = false;
  for (const std::string& path : all) {
    const bool part = !whole && has(kIndex) && is_part(path);
    parts = parts || part;
    if (part || (whole && path == kWhole) || (!whole && path == kIndex) || is_of_module(path) ||
        std::ranges::find(kBeside, path) != kBeside.end())
      needed.push_back(path);
  }
  if (!has("config.json")) return incomplete("it has no config.json");
  if (!has("tokenizer.json")) {
    return incomplete(
        "it has no tokenizer.json, only the older files of a tokenizer; transformers' "
        "AutoTokenizer.from_pretrained(…).save_pretrained(…) writes one");
  }
  if (!whole && !parts) {
    const bool pickled = ends_with_any(all, ".bin") || ends_with_any(all, ".pt");
    return incomplete(pickled ? "its weights are in PyTorch's own format; what is read is model.safetensors, "
                                "which transformers' save_pretrained(…) writes"
                              : "it has no model.safetensors");
  }
  std::ranges::sort(needed);
  needed.erase(std::ranges::unique(needed).begin(), needed.end());
  return needed;
}

}  // namespace embedrouter::hub
