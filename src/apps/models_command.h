#pragma once
#include <CLI/App.hpp>

#include "apps/command.h"

namespace embedrouter::apps {

// embedrouter models [--json]: what the router serves.
void add_models_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
