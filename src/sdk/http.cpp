#include <embedrouter/http.h>

#include <algorithm>

#include "base/ascii.h"

namespace embedrouter::sdk::inline v0 {

const std::string* Headers::find(std::string_view name) const noexcept {
  for (const Entry& entry : entries_) {
    if (same_ignoring_case(entry.first, name)) return &entry.second;
  }
  return nullptr;
}

void Headers::set(std::string_view name, std::string value) {
  const auto same = [name](const Entry& entry) { return same_ignoring_case(entry.first, name); };
  const auto first = std::ranges::find_if(entries_, same);
  if (first == entries_.end()) return add(std::string(name), std::move(value));
  first->second = std::move(value);
  entries_.erase(std::remove_if(first + 1, entries_.end(), same), entries_.end());
}

}  // namespace embedrouter::sdk::inline v0
