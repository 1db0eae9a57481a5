#pragma once
#include <CLI/App.hpp>

#include "apps/command.h"

namespace embedrouter::apps {

// embedrouter embed [TEXT…|-] [--file F]… [--model M] [--json] [--local]: a vector per text, a JSON array a
// line; `-` and files hold a text a line. --json prints the answer as it came; --local embeds in this
// process, without a router.
void add_embed_command(CLI::App& app, Run& run);

}  // namespace embedrouter::apps
