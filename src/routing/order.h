#pragma once
#include <vector>

#include "api/provider_preferences.h"
#include "routing/strategies.h"

namespace embedrouter::routing {

// Puts the candidates, which come in the order of the configuration, into the order they are tried in
// (docs/routing.md). First those in the request's space: by `order`, else by the strategy of `sort`; then
// those that miss a preferred_* threshold; then those that are cooling down; last the ejected ones. Behind
// them all endpoints of other spaces.
//
// The space is that of the first endpoint the caller's `order` names, of the cheapest under `sort: price`,
// else of the first in the configuration: never a matter of chance, health or measurements. `wish` may be
// null; `suffix_sort` is what the model's suffix asks for; an explicit sort wins.
void order(std::vector<Candidate>& candidates, const api::ProviderPreferences* wish, api::Sort suffix_sort,
           const Conditions& conditions);

// The same without chance: of endpoints that are drawn, the likelier come first. Returns the share of such
// requests that begin with each.
std::vector<double> expected_order(std::vector<Candidate>& candidates, const api::ProviderPreferences* wish,
                                   api::Sort suffix_sort, std::chrono::steady_clock::time_point now);

// The strategy a request asks for; none where it names providers in an order.
const Strategy* strategy_of(const api::ProviderPreferences* wish, api::Sort suffix_sort);

// Reads every candidate's standing. At most half of the endpoints of a space are ejected at a time: of more,
// those that return soonest count as unsteady. With all of them out, all are asked.
void read_standings(std::vector<Candidate>& candidates, std::chrono::steady_clock::time_point now);

}  // namespace embedrouter::routing
