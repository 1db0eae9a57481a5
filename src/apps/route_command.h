#pragma once
#include "apps/command.h"

namespace CLI {
class App;
}

namespace embedrouter::apps {

void add_route_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
