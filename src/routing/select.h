#pragma once
#include <embedrouter/result.h>

#include <memory>
#include <unordered_map>
#include <vector>

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

 private:
  const catalog::Catalog& catalog_;
  std::unordered_map<const catalog::Endpoint*, Route> routes_;
  const Clock& clock_;
};

}  // namespace embedrouter::routing
