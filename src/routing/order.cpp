#include "routing/order.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/stable.h"
#include "routing/strategies/sorted.h"

namespace embedrouter::routing {
namespace {

using api::Percentiles;
using api::ProviderPreferences;
using api::Sort;
using Now = std::chrono::steady_clock::time_point;

// Position in `order`, or behind it.
std::size_t place(const Candidate& candidate, const ProviderPreferences& wish) {
  std::size_t at = 0;
  while (at < wish.order.size() && !catalog::names(wish.order[at], *candidate.endpoint)) ++at;
  return at;
}

bool meets(const Candidate& candidate, const ProviderPreferences& wish, Now now) {
  const auto each = [](const Percentiles& p) {
    return std::array<std::pair<std::optional<double>, double>, 4>{
        {{p.p50, 0.5}, {p.p75, 0.75}, {p.p90, 0.9}, {p.p99, 0.99}}};
  };
  for (const auto& [limit, percentile] : each(wish.preferred_max_latency)) {
    if (!limit) continue;
    const auto measured = candidate.state->statistics.latency_seconds(now, percentile, kMeasured);
    if (measured && *measured > *limit) return false;
  }
  for (const auto& [limit, percentile] : each(wish.preferred_min_throughput)) {
    if (!limit) continue;
    // At p90, 90 % of the answers are at least that fast.
    const auto measured = candidate.state->statistics.tokens_per_second(now, 1 - percentile, kMeasured);
    if (measured && *measured < *limit) return false;
  }
  return true;
}

std::string space_of(std::span<const Candidate> candidates, const ProviderPreferences* wish,
                     const Strategy* strategy) {
  const Candidate* first = &candidates.front();
  if (strategy == nullptr) {
    first = &*std::ranges::min_element(candidates, {}, [&](const Candidate& c) { return place(c, *wish); });
  } else if (strategy->sort == Sort::price) {
    first = &*std::ranges::min_element(candidates, {},
                                       [](const Candidate& c) { return c.endpoint->pico_usd_per_token; });
  }
  return first->endpoint->space;
}

}  // namespace

const Strategy* strategy_of(const ProviderPreferences* wish, Sort suffix_sort) {
  if (wish != nullptr && wish->has_order) return nullptr;
  return &strategy_for(wish != nullptr && wish->sort != Sort::none ? wish->sort : suffix_sort);
}

void read_standings(std::vector<Candidate>& candidates, Now now) {
  std::vector<Candidate*> out;
  for (Candidate& c : candidates) {
    c.standing = c.state->health.standing(now);
    if (c.standing == Standing::ejected) out.push_back(&c);
  }
  for (std::size_t at = 0; at < out.size();) {
    const std::string& space = out[at]->endpoint->space;
    const auto first = out.begin() + static_cast<std::ptrdiff_t>(at);
    const auto others =
        std::partition(first, out.end(), [&](const Candidate* c) { return c->endpoint->space == space; });
    const std::span peers(first, others);
    const auto all = static_cast<std::size_t>(
        std::ranges::count_if(candidates, [&](const Candidate& c) { return c.endpoint->space == space; }));
    std::ranges::sort(peers, {}, [&](const Candidate* c) { return c->state->health.snapshot(now).until; });
    const std::size_t most = all / 2;
    for (std::size_t i = 0; i + most < peers.size(); ++i) peers[i]->standing = Standing::unsteady;
    at += peers.size();
  }
}

void order(std::vector<Candidate>& candidates, const ProviderPreferences* wish, Sort suffix_sort,
           const Conditions& conditions) {
  if (candidates.empty()) return;
  const Strategy* strategy = strategy_of(wish, suffix_sort);
  read_standings(candidates, conditions.now);
  const std::string space = space_of(candidates, wish, strategy);
  const auto is_elsewhere = [&space](const Candidate& c) { return c.endpoint->space != space; };
  stable_sort_short(std::span(candidates), is_elsewhere);
  const std::span<Candidate> able(candidates.begin(), std::ranges::find_if(candidates, is_elsewhere));
  if (able.size() < 2) return;
  if (strategy != nullptr) {
    strategy->arrange(able, conditions);
  } else {
    arrange_by_price(able, conditions);
    sort_by_cost(able, [&](const Candidate& c) { return static_cast<double>(place(c, *wish)); });
  }
  if (wish != nullptr)
    stable_sort_short(able, [&](const Candidate& c) { return !meets(c, *wish, conditions.now); });
  // Asked for by name or not: one that is known to be out is asked only after the others.
  stable_sort_short(able, [](const Candidate& c) { return std::max(c.standing, Standing::unsteady); });
}

std::vector<double> expected_order(std::vector<Candidate>& candidates, const ProviderPreferences* wish,
                                   Sort suffix_sort, Now now) {
  std::vector<double> shares(candidates.size(), 0);
  if (candidates.empty()) return shares;
  Random any(1);  // what it decides is decided anew below
  order(candidates, wish, suffix_sort, {now, any});
  shares.front() = 1;
  const Strategy* strategy = strategy_of(wish, suffix_sort);
  if (strategy == nullptr || strategy->shares == nullptr) return shares;
  const auto is_elsewhere = [&](const Candidate& c) {
    return c.endpoint->space != candidates.front().endpoint->space;
  };
  const std::span<Candidate> able(candidates.begin(), std::ranges::find_if(candidates, is_elsewhere));
  const auto are_drawn_together = [&](const Candidate& a, const Candidate& b) {
    return a.standing == b.standing && (wish == nullptr || meets(a, *wish, now) == meets(b, *wish, now));
  };
  for (std::size_t at = 0; at < able.size();) {
    // They were drawn among all of their standing, and a threshold of the request then took some of them out.
    std::vector<Candidate> peers;
    std::ranges::copy_if(able, std::back_inserter(peers),
                         [&](const Candidate& c) { return c.standing == able[at].standing; });
    const std::vector<double> of_peers = strategy->shares(peers, now);
    std::vector<std::pair<double, Candidate>> drawn;
    double sum = 0;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (!are_drawn_together(peers[i], able[at])) continue;
      drawn.emplace_back(of_peers[i], peers[i]);
      sum += of_peers[i];
    }
    stable_sort_short(std::span(drawn), [](const auto& likely) { return -likely.first; });
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      able[at + i] = drawn[i].second;
      if (at == 0) shares[i] = drawn[i].first / sum;
    }
    at += drawn.size();
  }
  return shares;
}

}  // namespace embedrouter::routing
