#pragma once
#include <CLI/App.hpp>
#include <functional>

namespace embedrouter::apps {

// Commands set `run` when they are the one that was asked for; main calls it and exits with its status.
using Run = std::function<int()>;

// embedrouter serve [--config F] [--listen H:P] [--data-dir D] [--check]
void add_serve_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
