#pragma once
#include <filesystem>

namespace embedrouter::inference {

// How many processors this process may keep busy: the affinity mask, cut by the CPU quota of its cgroup and
// of every cgroup above it (v1 and v2). Part of a processor does not count; at least 1.
unsigned usable_cpus();

// The quota alone, rounded down, at least 1; 0 if there is none. `root` stands for "/", so that tests can lay
// out files.
unsigned cgroup_cpus(const std::filesystem::path& root);

}  // namespace embedrouter::inference
