#include "routing/strategies.h"
#include "routing/strategies/sorted.h"

namespace embedrouter::routing {

// Endpoints without measurements come behind those that have some.
void arrange_by_throughput(std::span<Candidate> candidates, const Conditions& conditions) {
  sort_by_cost(candidates, [&](const Candidate& c) {
    return -c.state->statistics.tokens_per_second(conditions.now, 0.5, kMeasured).value_or(0);
  });
}

}  // namespace embedrouter::routing
