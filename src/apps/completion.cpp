#include "apps/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <vector>

namespace embedrouter::apps {
namespace {

enum class Value { none, text, file, folder };

struct Flag {
  std::vector<std::string> names;  // "-h", "--help"
  std::string help;
  Value value = Value::none;
};

struct Command {
  std::string path;  // "" of the root, then "/keys", "/keys/create"
  std::string name, help;
  std::vector<Flag> flags;
  std::vector<Command> commands;
};

Value value_of(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return Value::none;
  if (option.get_type_name() == "FILE") return Value::file;
  return option.get_type_name() == "DIR" ? Value::folder : Value::text;
}

Command read(const CLI::App& app, const std::string& path) {
  Command command{
      .path = path, .name = app.get_name(), .help = app.get_description(), .flags = {}, .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    Flag flag{.names = {}, .help = option->get_description(), .value = value_of(*option)};
    for (const std::string& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) flag.names.push_back("--" + name);
    if (!flag.names.empty()) command.flags.push_back(std::move(flag));
  }
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; }))
    command.commands.push_back(read(*inner, path + "/" + inner->get_name()));
  return command;
}

void collect(const Command& command, std::vector<const Command*>& all) {
  all.push_back(&command);
  for (const Command& inner : command.commands) collect(inner, all);
}

// The root first, each before what is below it.
std::vector<const Command*> all_of(const Command& root) {
  std::vector<const Command*> all;
  collect(root, all);
  return all;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

// Between single quotes.
std::string quoted(const std::string& text) {
  return "'" + replaced(text, "'", R"('\'')") + "'";
}

std::string bash(const Command& root) {
  std::string paths, values, words;
  for (const Command* command : all_of(root)) {
    if (!command->path.empty()) paths += (paths.empty() ? "" : " | ") + command->path;
    std::string known;
    for (const Command& inner : command->commands) known += inner.name + " ";
    for (const Flag& flag : command->flags) {
      for (const std::string& name : flag.names) {
        known += name + " ";
        if (flag.value == Value::none) continue;
        const char* filled =
            flag.value == Value::file     ? "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))"
            : flag.value == Value::folder ? "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))"
                                          : ":";
        values += fmt::format("    {}:{}) {}; return ;;\n", command->path, name, filled);
      }
    }
    known.pop_back();
    words += fmt::format("    \"{}\") words=\"{}\" ;;\n", command->path, known);
  }
  return fmt::format(R"(# bash completion for embedrouter
_embedrouter() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} path= word words
  COMPREPLY=()
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$path/$word" in {}) path=$path/$word ;; esac
  done
  case "$path:$prev" in
{}  esac
  case "$path" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o bashdefault -F _embedrouter embedrouter
)",
                     paths, values, words);
}

std::string zsh_function(const Command& command) {
  return "_embedrouter" + replaced(command.path, "/", "_");
}

std::string zsh(const Command& root) {
  std::string functions;
  for (const Command* command : all_of(root)) {
    std::string arguments;
    for (const Flag& flag : command->flags) {
      const std::string help = replaced(replaced(flag.help, "[", "\\["), "]", "\\]");
      const char* value = flag.value == Value::file     ? ":file:_files"
                          : flag.value == Value::folder ? ":folder:_files -/"
                          : flag.value == Value::text   ? ":value: "
                                                        : "";
      for (const std::string& name : flag.names)
        arguments += " \\\n    " + quoted(fmt::format("{}[{}]{}", name, help, value));
    }
    if (command->commands.empty()) {
      functions += fmt::format("{}() {{\n  _arguments{} \\\n    '*: :_default'\n}}\n", zsh_function(*command),
                               arguments);
      continue;
    }
    std::string names, calls;
    for (const Command& inner : command->commands) {
      names += " " + quoted(inner.name + ":" + replaced(inner.help, ":", "\\:"));
      calls += fmt::format("        {}) {} ;;\n", inner.name, zsh_function(inner));
    }
    functions += fmt::format(R"({}() {{
  local curcontext=$curcontext state line
  local -a commands=({})
  _arguments -C{} \
    '1: :->command' '*:: :->rest' && return
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
{}      esac
      ;;
  esac
}}
)",
                             zsh_function(*command), names.substr(1), arguments, calls);
  }
  return "#compdef embedrouter\n" + functions + "_embedrouter \"$@\"\n";
}

std::string fish(const Command& root) {
  std::string script = "# fish completion for embedrouter\ncomplete -c embedrouter -f\n";
  for (const Command* command : all_of(root)) {
    // All names of the path are there, and none of those below it.
    std::string condition;
    for (std::string_view rest(command->path); !rest.empty();) {
      const std::string_view name = rest.substr(1, rest.find('/', 1) - 1);
      condition += fmt::format("__fish_seen_subcommand_from {}; and ", name);
      rest.remove_prefix(name.size() + 1);
    }
    std::string inner_names;
    for (const Command& inner : command->commands) inner_names += " " + inner.name;
    const std::string here =
        quoted(condition + (inner_names.empty() ? "true" : "not __fish_seen_subcommand_from" + inner_names));
    for (const Command& inner : command->commands)
      script +=
          fmt::format("complete -c embedrouter -n {} -a {} -d {}\n", here, inner.name, quoted(inner.help));
    for (const Flag& flag : command->flags) {
      script += "complete -c embedrouter -n " + here;
      for (const std::string& name : flag.names)
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (flag.value != Value::none) script += " -r";
      if (flag.value == Value::file) script += " -F";
      if (flag.value == Value::folder) script += " -a '(__fish_complete_directories)'";
      script += " -d " + quoted(flag.help) + "\n";
    }
  }
  return script;
}

}  // namespace

std::string completion(const CLI::App& app, Shell shell) {
  const Command root = read(app, "");
  switch (shell) {
    case Shell::bash:
      return bash(root);
    case Shell::zsh:
      return zsh(root);
    case Shell::fish:
      return fish(root);
  }
  return {};
}

}  // namespace embedrouter::apps
