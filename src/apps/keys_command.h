#pragma once
#include <CLI/App.hpp>

#include "apps/command.h"

namespace embedrouter::apps {

// embedrouter keys create|list|revoke [--management] [--name N] [--data-dir D] [--config F] [--json]
void add_keys_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
