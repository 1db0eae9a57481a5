#include "routing/order.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "routing/filter.h"

namespace embedrouter::routing {
namespace {

using api::Percentiles;
using api::ProviderPreferences;
using api::Sort;
using Now = std::chrono::steady_clock::time_point;

constexpr std::chrono::minutes kWindow{5};  // of the statistics that order (CONTRACT 6.3)

// Position in `order`, or behind it.
std::size_t place(const Candidate& candidate, const ProviderPreferences& wish) {
  std::size_t at = 0;
  while (at < wish.order.size() && !names_provider(wish.order[at], *candidate.endpoint)) ++at;
  return at;
}

// Smaller is better. Without measurements an endpoint comes behind those that have some.
double cost_of(const Candidate& candidate, Sort sort, Now now) {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  switch (sort) {
    case Sort::latency:
      return candidate.state->statistics.latency_seconds(now, 0.5, kWindow).value_or(kUnknown);
    case Sort::throughput: {
      const auto rate = candidate.state->statistics.tokens_per_second(now, 0.5, kWindow);
      return rate ? -*rate : kUnknown;
    }
    case Sort::none:
    case Sort::price:
      break;
  }
  return static_cast<double>(candidate.endpoint->pico_usd_per_token);
}

bool meets(const Candidate& candidate, const ProviderPreferences& wish, Now now) {
  const auto each = [](const Percentiles& p) {
    return std::array<std::pair<std::optional<double>, double>, 4>{
        {{p.p50, 0.5}, {p.p75, 0.75}, {p.p90, 0.9}, {p.p99, 0.99}}};
  };
  for (const auto& [limit, percentile] : each(wish.preferred_max_latency)) {
    if (!limit) continue;
    const auto measured = candidate.state->statistics.latency_seconds(now, percentile, kWindow);
    if (measured && *measured > *limit) return false;
  }
  for (const auto& [limit, percentile] : each(wish.preferred_min_throughput)) {
    if (!limit) continue;
    // At p90, 90 % of the answers are at least that fast.
    const auto measured = candidate.state->statistics.tokens_per_second(now, 1 - percentile, kWindow);
    if (measured && *measured < *limit) return false;
  }
  return true;
}

}  // namespace

void order(std::vector<Candidate>& candidates, const ProviderPreferences* wish, Sort suffix_sort, Now now) {
  static const ProviderPreferences kNone;
  const ProviderPreferences& wanted = wish != nullptr ? *wish : kNone;
  const Sort sort = wanted.sort != Sort::none ? wanted.sort : suffix_sort;
  struct Ranked {
    bool misses;
    std::size_t place;
    double cost;
    std::size_t before;  // place in the catalog, for ties
    Candidate candidate;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(candidates.size());
  for (const Candidate& c : candidates) {
    const bool ordered = wanted.has_order;
    ranked.push_back({!meets(c, wanted, now), ordered ? place(c, wanted) : 0,
                      cost_of(c, ordered ? Sort::none : sort, now), ranked.size(), c});
  }
  std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) {
    return std::tie(a.misses, a.place, a.cost, a.before) < std::tie(b.misses, b.place, b.cost, b.before);
  });
  std::ranges::transform(ranked, candidates.begin(), &Ranked::candidate);
}

}  // namespace embedrouter::routing
