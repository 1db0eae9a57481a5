#include "apps/completion_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "apps/common.h"
#include "apps/completion.h"

namespace embedrouter::apps {

void add_completion_command(CLI::App& app, Run& run) {
  const std::map<std::string, Shell> shells{
      {"bash", Shell::bash}, {"fish", Shell::fish}, {"zsh", Shell::zsh}};
  CLI::App* command = app.add_subcommand("completion", "Print the completion script of a shell");
  command->require_subcommand(1);
  for (const auto& [name, shell] : shells) {
    command->add_subcommand(name, "For " + name)->callback([&app, &run, shell] {
      run = [&app, shell] {
        std::cout << completion(app, shell);
        return kOk;
      };
    });
  }
}

}  // namespace embedrouter::apps
