#include "base/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace embedrouter {
namespace {

// Fields of /proc/self/stat behind the program's name, which may hold blanks; numbers as in proc(5).
struct Stat {
  double cpu_ticks = 0, start_ticks = 0, virtual_bytes = 0, resident_pages = 0, threads = 0;
};

Stat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  Stat stat;
  std::string field;
  for (int number = 3; number <= 24 && fields >> field; ++number) {
    if (number == 14 || number == 15) stat.cpu_ticks += std::stod(field);
    if (number == 20) stat.threads = std::stod(field);
    if (number == 22) stat.start_ticks = std::stod(field);
    if (number == 23) stat.virtual_bytes = std::stod(field);
    if (number == 24) stat.resident_pages = std::stod(field);
  }
  return stat;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator folder("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(folder), std::filesystem::directory_iterator()) -
                             1);  // its own
}

}  // namespace

void watch_process(Metrics& metrics) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  Counter& cpu = metrics.counter("process_cpu_seconds_total", "User and system CPU time");
  Gauge& resident = metrics.gauge("process_resident_memory_bytes", "Resident memory");
  Gauge& virtual_memory = metrics.gauge("process_virtual_memory_bytes", "Virtual memory");
  Gauge& open = metrics.gauge("process_open_fds", "Open file descriptors");
  Gauge& most = metrics.gauge("process_max_fds", "File descriptors it may open");
  Gauge& threads = metrics.gauge("process_threads", "Threads");
  metrics.gauge("process_start_time_seconds", "When it started, in seconds since 1970")
      .Set(boot_time() + read_stat().start_ticks / ticks);
  metrics.before_render([=, &cpu, &resident, &virtual_memory, &open, &most, &threads] {
    const Stat stat = read_stat();
    advance(cpu, stat.cpu_ticks / ticks);
    resident.Set(stat.resident_pages * page);
    virtual_memory.Set(stat.virtual_bytes);
    threads.Set(stat.threads);
    open.Set(open_descriptors());
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) most.Set(static_cast<double>(limit.rlim_cur));
  });
}

}  // namespace embedrouter
