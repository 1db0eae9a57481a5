#include "apps/provider_keys.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace embedrouter::apps {
namespace {

std::string from_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

// Its first line.
std::string from_file(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

}  // namespace

Result<std::vector<std::string>> keys_of(const catalog::ProviderConfig& provider) {
  std::vector<std::string> keys;
  const auto add = [&](const std::string& source, std::string key) -> Result<void> {
    while (!key.empty() && (key.back() == '\r' || key.back() == ' ' || key.back() == '\t')) key.pop_back();
    const bool printable = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
    const std::string whose = "provider \"" + provider.slug + "\": " + source;
    if (key.empty() || !printable) return fail(ErrorCode::internal, whose + " holds no key");
    if (std::ranges::find(keys, key) != keys.end())
      return fail(ErrorCode::internal, whose + " holds the same key as one named before it");
    keys.push_back(std::move(key));
    return {};
  };
  for (const std::string& name : provider.api_key_envs) {
    if (auto added = add("the environment variable " + name, from_variable(name)); !added)
      return fail(std::move(added).error());
  }
  for (const std::string& path : provider.api_key_files) {
    if (auto added = add("the file " + path, from_file(path)); !added) return fail(std::move(added).error());
  }
  return keys;
}

}  // namespace embedrouter::apps
