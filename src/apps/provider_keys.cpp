#include "apps/provider_keys.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

namespace embedrouter::apps {
namespace {

// What a variable or a file holds, or why it could not be read.
struct Source {
  std::string what;     // "the environment variable X"
  std::string mending;  // "set it …"
  std::optional<std::string> text;
};

Source from_variable(const std::string& name) {
  Source source{
      "the environment variable " + name, "set it to the key for the process that runs the router", {}};
  if (const char* value = std::getenv(name.c_str()); value != nullptr) source.text = value;
  return source;
}

// Its first line.
Source from_file(const std::string& path) {
  Source source{"the file " + path, "write the key into its first line, readable by the router", {}};
  std::ifstream file(path);
  if (std::string line; file) source.text = (std::getline(file, line), line);
  return source;
}

std::string trimmed(std::string key) {
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ' || key.back() == '\t')) key.pop_back();
  return key;
}

bool is_printable(const std::string& key) {
  return std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

ProviderKeys read_keys(const catalog::ProviderConfig& provider) {
  ProviderKeys read;
  const auto add = [&](const Source& source) {
    const auto fault = [&](const std::string& why, const std::string& mending) {
      read.faults.push_back("provider \"" + provider.slug + "\": " + source.what + ' ' + why + "; " +
                            mending);
    };
    const bool variable = !provider.api_key_envs.empty();
    if (!source.text) return fault(variable ? "is not set" : "cannot be read", source.mending);
    std::string key = trimmed(*source.text);
    if (key.empty()) return fault("holds no key", source.mending);
    if (!is_printable(key)) return fault("holds no key, but blanks or control characters", source.mending);
    if (std::ranges::find(read.keys, key) != read.keys.end())
      return fault("holds the same key as one named before it", "leave one out");
    read.keys.push_back(std::move(key));
  };
  for (const std::string& name : provider.api_key_envs) add(from_variable(name));
  for (const std::string& path : provider.api_key_files) add(from_file(path));
  return read;
}

Result<std::vector<std::string>> keys_of(const catalog::ProviderConfig& provider) {
  ProviderKeys read = read_keys(provider);
  if (!read.faults.empty()) return fail(ErrorCode::internal, read.faults.front());
  return std::move(read.keys);
}

}  // namespace embedrouter::apps
