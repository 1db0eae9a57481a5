#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "base/stable.h"
#include "routing/candidate.h"

namespace embedrouter::routing {

// For strategies that are a cost: the least first, ties stay as they are. Each cost is asked for once.
template <class Cost>
void sort_by_cost(std::span<Candidate> candidates, const Cost& cost) {
  struct Priced {
    double cost;
    Candidate candidate;
  };
  std::vector<Priced> priced;
  priced.reserve(candidates.size());
  for (const Candidate& candidate : candidates) priced.push_back({cost(candidate), candidate});
  stable_sort_short(std::span(priced), &Priced::cost);
  std::ranges::transform(priced, candidates.begin(), &Priced::candidate);
}

}  // namespace embedrouter::routing
