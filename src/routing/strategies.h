#pragma once
// The ways to put endpoints into the order they are tried in (docs/routing.md). A new one is a file in
// strategies/ and a row in strategies.cpp.

#include <chrono>
#include <span>
#include <string_view>
#include <vector>

#include "api/provider_preferences.h"
#include "base/random.h"
#include "routing/candidate.h"

namespace embedrouter::routing {

struct Conditions {
  std::chrono::steady_clock::time_point now;
  Random& random;  // only for those who ask for it
};

struct Strategy {
  std::string_view name;
  // The `sort` of a request that asks for it; none: where nothing is asked for.
  api::Sort sort;
  // Reorders; never adds or drops. Candidates are of one space, in the order of the configuration.
  void (*arrange)(std::span<Candidate> candidates, const Conditions& conditions);
  // The share of first attempts of each, where chance decides; null: the first has them all.
  std::vector<double> (*shares)(std::span<const Candidate> candidates,
                                std::chrono::steady_clock::time_point now) = nullptr;
};

std::span<const Strategy> strategies();
const Strategy& strategy_for(api::Sort sort);

// The share of first attempts that the default strategy gives each of `candidates`, which are of one space;
// their sum is 1. Those of a worse standing than others have none.
std::vector<double> balanced_shares(std::span<const Candidate> candidates,
                                    std::chrono::steady_clock::time_point now);

void arrange_balanced(std::span<Candidate> candidates, const Conditions& conditions);
void arrange_by_price(std::span<Candidate> candidates, const Conditions& conditions);
void arrange_by_throughput(std::span<Candidate> candidates, const Conditions& conditions);
void arrange_by_latency(std::span<Candidate> candidates, const Conditions& conditions);

inline constexpr std::chrono::minutes kMeasured{5};  // the window of the statistics (CONTRACT 6.3)

}  // namespace embedrouter::routing
