#include "apps/common.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <ostream>

#include "providers/dialect.h"

namespace embedrouter::apps {

int exit_for_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return kAuth;
    case 402:
      return kCredit;
    case 404:
      return kNotFound;
    case 429:
      return kRateLimit;
    default:
      return status >= 500 ? kUpstream : kFailure;
  }
}

catalog::ConfigEnvironment environment() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  catalog::ConfigEnvironment around;
  around.home = variable("HOME");
  around.xdg_data_home = variable("XDG_DATA_HOME");
  return around;
}

void add_where(CLI::App& command, Where& where) {
  command.add_option("--config", where.config_file, "Configuration file (TOML)")->type_name("FILE");
  command.add_option("--data-dir", where.data_dir, "Folder of keys and models")->type_name("DIR");
}

catalog::ConfigOutcome read(const Where& where) {
  std::optional<std::filesystem::path> file;
  if (!where.config_file.empty()) file = where.config_file;
  catalog::ConfigEnvironment around = environment();
  around.listen = where.listen;
  around.data_dir = where.data_dir;
  for (const providers::Dialect* dialect : providers::dialects()) around.dialects.push_back(dialect->facts);
  return catalog::load_config(file, around);
}

std::string describe_faults(const std::vector<catalog::ConfigFault>& faults) {
  const std::size_t count = faults.size();
  return "the configuration has " + std::to_string(count) + " fault" + (count == 1 ? "" : "s");
}

void print_faults(const Where& where, const std::vector<catalog::ConfigFault>& faults, std::ostream& err) {
  for (const catalog::ConfigFault& fault : faults) {
    err << (where.config_file.empty() ? "configuration" : where.config_file);
    if (fault.line != 0) err << ':' << fault.line;
    err << ": " << fault.message << '\n';
  }
}

Result<catalog::Config> load(const Where& where, std::ostream& err) {
  catalog::ConfigOutcome outcome = read(where);
  print_faults(where, outcome.faults, err);
  if (!outcome.faults.empty()) return fail(ErrorCode::invalid_request, describe_faults(outcome.faults));
  return std::move(outcome.config);
}

}  // namespace embedrouter::apps
