#pragma once
// Which endpoints of a model may answer a request (CONTRACT 6.1 and 6.3).

#include <embedrouter/result.h>

#include <span>
#include <vector>

#include "routing/candidate.h"
#include "routing/exclude.h"

namespace embedrouter::routing {

// Keeps what may answer and puts a record of each other one into `excluded`. If nothing is left, the failure
// names the parameter or the preferences that took out the most promising endpoint, and what would do.
Result<std::vector<Candidate>> filter(std::span<const Candidate> candidates, const api::EmbedRequest& request,
                                      catalog::Tier admitted, std::vector<embed::CandidateRecord>& excluded);

}  // namespace embedrouter::routing
