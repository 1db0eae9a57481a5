#include "routing/select.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "routing/filter.h"
#include "routing/order.h"

namespace embedrouter::routing {

using api::EmbedRequest;

ModelName split_suffix(std::string_view model) {
  const auto ends = [&](std::string_view suffix) {
    return model.size() > suffix.size() && model.ends_with(suffix);
  };
  for (const auto& [suffix, sort] : {std::pair{std::string_view(":floor"), api::Sort::price},
                                     std::pair{std::string_view(":nitro"), api::Sort::throughput}}) {
    if (ends(suffix)) return {model.substr(0, model.size() - suffix.size()), sort};
  }
  return {model};
}

Selector::Selector(const catalog::Catalog& catalog, std::vector<Route> routes, const Clock& clock)
    : catalog_(catalog), clock_(clock) {
  for (Route& route : routes) routes_.emplace(route.endpoint, std::move(route));
}

Result<const catalog::Model*> Selector::find(std::string_view name) const {
  const catalog::Model* model = catalog_.find(name);
  if (model != nullptr) return model;
  return fail(Error(ErrorCode::model_not_found,
                    "no model of that name here; GET /api/v1/embeddings/models lists them")
                  .with_param("model"));
}

Result<std::vector<Candidate>> Selector::able(const catalog::Model& model, const EmbedRequest& request,
                                              embed::Call& call) const {
  std::vector<Candidate> candidates;
  for (const catalog::Endpoint& endpoint : model.endpoints) {
    const auto route = routes_.find(&endpoint);
    if (route != routes_.end())
      candidates.push_back({&endpoint, route->second.embedder.get(), route->second.state});
  }
  auto kept = filter(candidates, request, call.candidates);
  if (!kept || call.pinned_space.empty()) return kept;
  std::erase_if(*kept, [&](const Candidate& c) {
    if (c.endpoint->space == call.pinned_space) return false;
    call.candidates.push_back(record_of(c, "X-Embedrouter-Space"));
    return true;
  });
  if (!kept->empty()) return kept;
  return fail(Error(ErrorCode::space_mismatch,
                    "no endpoint of the model is in the space that X-Embedrouter-Space pins; its "
                    "vectors could not be compared with yours")
                  .with_param("X-Embedrouter-Space"));
}

Result<std::vector<Candidate>> Selector::select(const EmbedRequest& request, embed::Call& call,
                                                Random& random) const {
  const ModelName asked = split_suffix(request.model);
  const auto model = find(asked.name);
  if (!model) return fail(model.error());
  auto kept = able(**model, request, call);
  if (!kept) return kept;
  order(*kept, request.provider, asked.sort, {clock_.now(), random});
  std::vector<embed::CandidateRecord> excluded = std::exchange(call.candidates, {});
  for (const Candidate& c : *kept) {
    const bool in_space = c.endpoint->space == kept->front().endpoint->space;
    (in_space ? call.candidates : excluded).push_back(record_of(c, in_space ? "" : "space"));
  }
  std::ranges::move(excluded, std::back_inserter(call.candidates));
  return kept;
}

}  // namespace embedrouter::routing
