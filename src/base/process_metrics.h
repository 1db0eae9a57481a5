#pragma once
#include "base/metrics.h"

namespace embedrouter {

// CPU, memory, descriptors and the start of this process, under the names every Prometheus client uses
// (process_cpu_seconds_total, …), read from /proc at each render.
void watch_process(Metrics& metrics);

}  // namespace embedrouter
