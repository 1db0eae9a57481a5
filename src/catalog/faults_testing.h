#pragma once
// For the tests of this folder.

#include <string>

#include "catalog/config.h"

namespace embedrouter::catalog {

inline const ConfigEnvironment kHome{.home = "/home/u"};

// All faults as `serve --check` prints them, one a line.
inline std::string all(const ConfigOutcome& outcome) {
  std::string text;
  for (const ConfigFault& fault : outcome.faults)
    text += std::to_string(fault.line) + ": " + fault.message + "\n";
  return text;
}

}  // namespace embedrouter::catalog
