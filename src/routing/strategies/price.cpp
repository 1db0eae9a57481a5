#include "routing/strategies.h"
#include "routing/strategies/sorted.h"

namespace embedrouter::routing {

void arrange_by_price(std::span<Candidate> candidates, const Conditions&) {
  sort_by_cost(candidates,
               [](const Candidate& c) { return static_cast<double>(c.endpoint->pico_usd_per_token); });
}

}  // namespace embedrouter::routing
