#pragma once
// What a shell must know to complete a command line, written from the tree of commands itself.

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace embedrouter::apps {

enum class Shell { bash, zsh, fish };

// A script for the shell to source. `app` is the root of the tree.
std::string completion(const CLI::App& app, Shell shell);

}  // namespace embedrouter::apps
