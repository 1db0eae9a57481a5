#pragma once
// What the commands share.

#include <embedrouter/result.h>

#include <iosfwd>
#include <string>
#include <vector>

#include "catalog/config.h"

namespace CLI {
class App;
}

namespace embedrouter::apps {

// Exit statuses (CONTRACT 12).
enum Exit : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kAuth = 3,       // 401, 403
  kCredit = 4,     // 402
  kNotFound = 5,   // 404
  kRateLimit = 6,  // 429
  kUpstream = 7,   // 5xx
  kTransport = 8,  // no answer at all
};
int exit_for_status(int http_status);

// The flags that say which configuration is meant; empty: not given.
struct Where {
  std::string config_file, listen, data_dir;
};
catalog::ConfigEnvironment environment();
void add_where(CLI::App& command, Where& where);  // --config and --data-dir
// The configuration with the flags applied, and its faults.
catalog::ConfigOutcome read(const Where& where);
// "the configuration has 2 faults"
std::string describe_faults(const std::vector<catalog::ConfigFault>& faults);
// One a line, with file and line number: "embedrouter.toml:7: …".
void print_faults(const Where& where, const std::vector<catalog::ConfigFault>& faults, std::ostream& err);
// As read(), where any fault is a failure. Faults are printed to `err`.
Result<catalog::Config> load(const Where& where, std::ostream& err);

}  // namespace embedrouter::apps
