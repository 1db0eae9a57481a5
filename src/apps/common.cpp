#include "apps/common.h"

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

Result<catalog::Config> load(const Where& where, std::ostream& err) {
  std::optional<std::filesystem::path> file;
  if (!where.config_file.empty()) file = where.config_file;
  catalog::ConfigEnvironment around = environment();
  around.listen = where.listen;
  around.data_dir = where.data_dir;
  for (const providers::Dialect* dialect : providers::dialects()) around.dialects.push_back(dialect->facts);
  catalog::ConfigOutcome outcome = catalog::load_config(file, around);
  for (const catalog::ConfigFault& fault : outcome.faults) {
    err << (file ? file->string() : "configuration");
    if (fault.line != 0) err << ':' << fault.line;
    err << ": " << fault.message << '\n';
  }
  if (!outcome.faults.empty()) {
    return fail(ErrorCode::invalid_request, "the configuration has " + std::to_string(outcome.faults.size()) +
                                                " fault" + (outcome.faults.size() == 1 ? "" : "s"));
  }
  return std::move(outcome.config);
}

}  // namespace embedrouter::apps
