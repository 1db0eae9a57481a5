#pragma once
#include <chrono>
#include <vector>

#include "api/provider_preferences.h"
#include "routing/candidate.h"

namespace embedrouter::routing {

// Puts the candidates into the order they are tried in: those named by `order` first, then by `sort`, else
// cheapest first with ties in the order of the catalog; endpoints that miss a preferred_* threshold go last.
// `wish` may be null; `suffix_sort` is what the model's suffix asks for; an explicit sort wins.
void order(std::vector<Candidate>& candidates, const api::ProviderPreferences* wish, api::Sort suffix_sort,
           std::chrono::steady_clock::time_point now);

}  // namespace embedrouter::routing
