#include "routing/select.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "routing/filter.h"
#include "routing/order.h"

namespace embedrouter::routing {

using api::EmbedRequest;
namespace {

// Why the canaries keep an endpoint from answering; empty if they do not.
std::string foreign(const Candidate& candidate) {
  switch (candidate.state->space.verdict()) {
    case Verdict::held_out:
      return "space";
    case Verdict::quarantined:
      return "quarantine";
    case Verdict::unknown:
    case Verdict::agreeing:
      break;
  }
  return {};
}

}  // namespace

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

Result<std::vector<Candidate>> Selector::select(const EmbedRequest& request, embed::Call& call,
                                                Random& random) const {
  const ModelName asked = split_suffix(request.model);
  const catalog::Model* model = catalog_.find(asked.name);
  if (model == nullptr) {
    return fail(Error(ErrorCode::model_not_found,
                      "no model of that name here; GET /api/v1/embeddings/models lists them")
                    .with_param("model"));
  }
  std::vector<Candidate> candidates;
  for (const catalog::Endpoint& endpoint : model->endpoints) {
    const auto route = routes_.find(&endpoint);
    if (route != routes_.end())
      candidates.push_back({&endpoint, route->second.embedder.get(), route->second.state});
  }
  auto kept = filter(candidates, request, call.candidates);
  if (!kept) return kept;
  if (!call.pinned_space.empty()) {
    std::erase_if(*kept, [&](const Candidate& c) {
      if (c.endpoint->space == call.pinned_space) return false;
      call.candidates.push_back(record_of(c, "X-Embedrouter-Space"));
      return true;
    });
    if (kept->empty()) {
      return fail(Error(ErrorCode::space_mismatch,
                        "no endpoint of the model is in the space that X-Embedrouter-Space pins; its "
                        "vectors could not be compared with yours")
                      .with_param("X-Embedrouter-Space"));
    }
  }
  const auto now = clock_.now();
  order(*kept, request.provider, asked.sort, {now, random});
  const std::string& space = kept->front().endpoint->space;
  std::vector<embed::CandidateRecord> excluded = std::exchange(call.candidates, {});
  for (const Candidate& c : *kept) {
    c.state->space.want(now);
    std::string out = c.endpoint->space == space ? foreign(c) : "space";
    (out.empty() ? call.candidates : excluded).push_back(record_of(c, std::move(out)));
  }
  const bool none = call.candidates.empty();
  std::ranges::move(excluded, std::back_inserter(call.candidates));
  if (none) {
    return fail(ErrorCode::no_equivalent_upstream,
                "the vectors of every endpoint in the vector space of this request are no longer, or were "
                "never, of that space; `embedrouter endpoints list` says more to the operator");
  }
  std::erase_if(*kept, [](const Candidate& c) { return !foreign(c).empty(); });
  return kept;
}

}  // namespace embedrouter::routing
