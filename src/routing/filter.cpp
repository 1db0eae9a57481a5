#include "routing/filter.h"

#include <utility>

namespace embedrouter::routing {

Result<std::vector<Candidate>> filter(std::span<const Candidate> candidates, const api::EmbedRequest& request,
                                      catalog::Tier admitted, std::vector<embed::CandidateRecord>& excluded) {
  std::vector<Candidate> kept;
  std::vector<Exclusion> out;
  for (const Candidate& candidate : candidates) {
    auto exclusion = exclude(*candidate.endpoint, request, admitted);
    if (!exclusion) {
      kept.push_back(candidate);
      continue;
    }
    excluded.push_back(record_of(candidate, exclusion->parameter));
    out.push_back(*std::move(exclusion));
  }
  if (kept.empty()) return fail(nothing_left(out));
  return kept;
}

}  // namespace embedrouter::routing
