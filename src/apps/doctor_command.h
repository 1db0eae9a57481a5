#pragma once
#include <CLI/App.hpp>

#include "apps/command.h"

namespace embedrouter::apps {

// embedrouter doctor: CPU, kernels, model files, ports, keys, configuration; what is wrong and how to mend
// it. Status 1 if something is.
void add_doctor_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
