#pragma once
#include <embedrouter/result.h>

#include <string>
#include <vector>

#include "catalog/config.h"

namespace embedrouter::apps {

// The keys of a provider from its variables or its files, in their order; none if it names neither. `faults`:
// which source gives none, because it is absent, empty, unreadable, not printable or gives the same key as
// another, and how to mend it; never a key.
struct ProviderKeys {
  std::vector<std::string> keys;
  std::vector<std::string> faults;
};
ProviderKeys read_keys(const catalog::ProviderConfig& provider);
// The same, failing with the first fault.
Result<std::vector<std::string>> keys_of(const catalog::ProviderConfig& provider);

}  // namespace embedrouter::apps
