#pragma once
#include <embedrouter/result.h>

#include <string>
#include <vector>

#include "catalog/config.h"

namespace embedrouter::apps {

// The keys of a provider from its variables or its files, in their order; none if it names neither. Fails,
// naming the source and never a key, where one is empty, unreadable or not printable, or the same as another.
Result<std::vector<std::string>> keys_of(const catalog::ProviderConfig& provider);

}  // namespace embedrouter::apps
