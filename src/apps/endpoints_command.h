#pragma once
#include <CLI/App.hpp>

#include "apps/command.h"

namespace embedrouter::apps {

// embedrouter endpoints list|release ID… [--data-dir D] [--config F] [--json]
void add_endpoints_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
