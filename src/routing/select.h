#pragma once
#include <embedrouter/result.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "api/explanation.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "routing/candidate.h"
#include "routing/model_name.h"

namespace embedrouter::routing {

// An endpoint of the catalog, what calls it on this thread, and what is known of it.
struct Route {
  const catalog::Endpoint* endpoint;
  std::unique_ptr<embed::Embedder> embedder;
  EndpointState* state;
};

// From the name of a model to the endpoints that may answer a request. One per I/O thread.
class Selector {
 public:
  // `routes`: one for each endpoint of the catalog, which must outlive the selector, as must the states and
  // `clock`.
  Selector(const catalog::Catalog& catalog, std::vector<Route> routes, const Clock& clock);

  // The endpoints to try, in order; the first one's space is the request's. Writes into `call` why each
  // endpoint of the model is in or out.
  Result<std::vector<Candidate>> select(const api::EmbedRequest& request, embed::Call& call,
                                        Random& random) const;
  // Where `request` would go now, and why; nothing is sent and nothing drawn. `pinned_space` as in Call.
  // Fails only where the model is unknown: a request that nobody may answer is explained too. Views are of
  // the catalog and the request.
  Result<api::Explanation> explain(const api::EmbedRequest& request, std::string_view pinned_space) const;

 private:
  Result<const catalog::Model*> find(std::string_view name) const;
  // Of the model's endpoints those that may answer, in the order of the configuration. The others are noted
  // in `call`.
  Result<std::vector<Candidate>> able(const catalog::Model& model, catalog::Tier tier,
                                      const api::EmbedRequest& request, embed::Call& call) const;

  const catalog::Catalog& catalog_;
  std::unordered_map<const catalog::Endpoint*, Route> routes_;
  const Clock& clock_;
};

// Why the canaries keep an endpoint from answering: "space" (held out), "quarantine"; empty if they do not.
std::string_view foreign(const Candidate& candidate);

// False: the endpoint that comes first is the only one to be asked.
inline bool may_fall_back(const api::EmbedRequest& request) {
  return request.provider == nullptr || request.provider->allow_fallbacks || request.provider->has_order;
}

}  // namespace embedrouter::routing
