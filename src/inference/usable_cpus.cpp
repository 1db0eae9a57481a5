#include "inference/usable_cpus.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace embedrouter::inference {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "max 100000" or "150000 100000": the quota and its period in microseconds.
std::optional<double> v2_quota(const fs::path& folder) {
  std::istringstream line(read_text(folder / "cpu.max"));
  double quota = 0, period = 0;
  if (line >> quota >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

std::optional<double> v1_quota(const fs::path& folder) {
  double quota = 0, period = 0;
  std::istringstream quota_text(read_text(folder / "cpu.cfs_quota_us"));
  std::istringstream period_text(read_text(folder / "cpu.cfs_period_us"));
  if (quota_text >> quota && period_text >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

// The smallest quota from `cgroup` (a path inside the hierarchy mounted at `mount`) up to its root. In a
// container the path may name a place outside what is mounted; then the mount itself holds the limit, and it
// is always looked at.
template <class Read>
void tighten(std::optional<double>& least, const fs::path& mount, const fs::path& cgroup, Read read) {
  for (fs::path inside = cgroup.relative_path();; inside = inside.parent_path()) {
    if (const auto quota = read(mount / inside)) least = std::min(least.value_or(*quota), *quota);
    if (inside.empty()) return;
  }
}

bool lists(std::string_view controllers, std::string_view name) {
  for (std::size_t at = 0; at <= controllers.size();) {
    const std::size_t comma = std::min(controllers.find(',', at), controllers.size());
    if (controllers.substr(at, comma - at) == name) return true;
    at = comma + 1;
  }
  return false;
}

}  // namespace

unsigned cgroup_cpus(const fs::path& root) {
  std::optional<double> least;
  std::istringstream lines(read_text(root / "proc/self/cgroup"));
  // hierarchy:controllers:path, the controllers empty for v2.
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path cgroup = line.substr(second + 1);
    if (controllers.empty()) {
      tighten(least, root / "sys/fs/cgroup", cgroup, v2_quota);
    } else if (lists(controllers, "cpu")) {
      tighten(least, root / "sys/fs/cgroup/cpu", cgroup, v1_quota);
      tighten(least, root / "sys/fs/cgroup" / controllers, cgroup, v1_quota);
    }
  }
  if (!least) return 0;
  return static_cast<unsigned>(std::clamp(*least, 1.0, 1e6));
}

unsigned usable_cpus() {
  unsigned cpus = 1;
  // Larger than any machine; a mask too small for the machine would make the call fail.
  constexpr int kMostCpus = 8192;
  cpu_set_t* mask = CPU_ALLOC(kMostCpus);
  const std::size_t size = CPU_ALLOC_SIZE(kMostCpus);
  if (mask != nullptr && sched_getaffinity(0, size, mask) == 0) {
    cpus = static_cast<unsigned>(std::max(1, CPU_COUNT_S(size, mask)));
  }
  if (mask != nullptr) CPU_FREE(mask);
  const unsigned quota = cgroup_cpus("/");
  return quota == 0 ? cpus : std::min(cpus, quota);
}

}  // namespace embedrouter::inference
