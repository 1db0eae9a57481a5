#include <limits>

#include "routing/strategies.h"
#include "routing/strategies/sorted.h"

namespace embedrouter::routing {

// Endpoints without measurements come behind those that have some.
void arrange_by_latency(std::span<Candidate> candidates, const Conditions& conditions) {
  sort_by_cost(candidates, [&](const Candidate& c) {
    return c.state->statistics.latency_seconds(conditions.now, 0.5, kMeasured)
        .value_or(std::numeric_limits<double>::infinity());
  });
}

}  // namespace embedrouter::routing
