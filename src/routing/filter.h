#pragma once
// Which endpoints of a model may answer a request (CONTRACT 6.1 and 6.3).

#include <embedrouter/result.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/embed_request.h"
#include "catalog/catalog.h"
#include "routing/candidate.h"

namespace embedrouter::routing {

// Why an endpoint is out. `parameter`: a member of the request that would change vectors and that the
// endpoint cannot honour (a 400 if it leaves nothing). Otherwise a preference or policy took it out (a 404 if
// that leaves nothing).
struct Exclusion {
  ErrorCode code = ErrorCode::no_endpoint;
  std::string parameter;  // "dimensions", "provider.only"
  std::string reason;     // for people: "its vectors are 384 wide and cannot be cut"
};

// nullopt if `endpoint` may answer `request`. `admitted`: the service tier that the model's suffix lets in.
std::optional<Exclusion> exclude(const catalog::Endpoint& endpoint, const api::EmbedRequest& request,
                                 catalog::Tier admitted = catalog::Tier::standard);

// Keeps what may answer and puts a record of each other one into `excluded`. If nothing is left, the failure
// names the parameter or the preferences that took out the most promising endpoint, and what would do.
Result<std::vector<Candidate>> filter(std::span<const Candidate> candidates, const api::EmbedRequest& request,
                                      catalog::Tier admitted, std::vector<embed::CandidateRecord>& excluded);

}  // namespace embedrouter::routing
