#include <algorithm>
#include <array>

#include "fake_upstream/dialect.h"

namespace embedrouter::fake_upstream {

extern const Dialect kOpenai, kTei, kOllama;

std::span<const Dialect* const> dialects() {
  static constexpr std::array kAll{&kOpenai, &kTei, &kOllama};
  return kAll;
}

const Dialect* dialect_of(std::string_view path) {
  const Dialect* longest = nullptr;
  for (const Dialect* dialect : dialects()) {
    if (path.ends_with(dialect->path) &&
        (longest == nullptr || dialect->path.size() > longest->path.size())) {
      longest = dialect;
    }
  }
  return longest;
}

const Dialect* find_dialect(std::string_view name) {
  const auto all = dialects();
  const auto found = std::ranges::find(all, name, &Dialect::name);
  return found == all.end() ? nullptr : *found;
}

std::string vector_lists(const Plan& plan) {
  std::string out = "[";
  for (const Entry& entry : plan.data) {
    if (out.size() > 1) out += ',';
    out += entry.embedding.empty() ? number_array(entry.values) : entry.embedding;
  }
  return out += ']';
}

}  // namespace embedrouter::fake_upstream
