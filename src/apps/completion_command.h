#pragma once
#include "apps/command.h"

namespace CLI {
class App;
}

namespace embedrouter::apps {

// Added last: it writes about the whole tree.
void add_completion_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
