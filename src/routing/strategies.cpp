#include "routing/strategies.h"

#include <algorithm>
#include <array>

namespace embedrouter::routing {

std::span<const Strategy> strategies() {
  static constexpr std::array<Strategy, 4> kStrategies{{
      {"balanced", api::Sort::none, arrange_balanced, balanced_shares},
      {"price", api::Sort::price, arrange_by_price},
      {"throughput", api::Sort::throughput, arrange_by_throughput},
      {"latency", api::Sort::latency, arrange_by_latency},
  }};
  return kStrategies;
}

const Strategy& strategy_for(api::Sort sort) {
  return *std::ranges::find(strategies(), sort, &Strategy::sort);
}

}  // namespace embedrouter::routing
