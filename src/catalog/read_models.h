#pragma once
#include "catalog/section.h"

namespace embedrouter::catalog {

// The [[provider]] and [[model]] tables of the file, and what they owe each other.
void read_providers(Section& root, const ConfigEnvironment& environment, Config& config, Faults& faults);
// After read_providers: endpoints refer to providers.
void read_models(Section& root, const ConfigEnvironment& environment, Config& config);

}  // namespace embedrouter::catalog
