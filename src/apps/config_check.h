#pragma once
#include <vector>

#include "catalog/config.h"

namespace embedrouter::apps {

// What keeps a router from starting with a configuration that reads well, or from going on with it after a
// SIGHUP: keys, certificates, proxies and the model that it names and that are not there or cannot be used.
// All of it, each with its line where that is known. Calls nobody and takes no port.
std::vector<catalog::ConfigFault> check_named(const catalog::Config& config);

}  // namespace embedrouter::apps
