#include <algorithm>
#include <array>

#include "providers/dialect.h"

namespace embedrouter::providers {

extern const Dialect kOpenai, kTei, kOllama;

std::span<const Dialect* const> dialects() {
  static constexpr std::array kAll{&kOpenai, &kTei, &kOllama};
  return kAll;
}

const Dialect* find_dialect(std::string_view name) {
  const auto all = dialects();
  const auto found = std::ranges::find(all, name, [](const Dialect* dialect) { return dialect->facts.name; });
  return found == all.end() ? nullptr : *found;
}

}  // namespace embedrouter::providers
