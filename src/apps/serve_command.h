#pragma once
#include <CLI/App.hpp>

#include "apps/command.h"

namespace embedrouter::apps {

// embedrouter serve [--config F] [--listen H:P] [--data-dir D] [--check]
void add_serve_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
