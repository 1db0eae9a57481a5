#include "routing/select.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "routing/filter.h"
#include "routing/order.h"

namespace embedrouter::routing {

using api::EmbedRequest;

namespace {

// Takes out those that `out` says, because of `parameter`.
template <class Predicate>
void drop(std::vector<Candidate>& candidates, std::string_view parameter, embed::Call& call,
          const Predicate& out) {
  std::erase_if(candidates, [&](const Candidate& candidate) {
    if (!out(candidate)) return false;
    call.candidates.push_back(record_of(candidate, std::string(parameter)));
    return true;
  });
}

// Keeps those in the space that the caller pins.
Result<void> pin(std::vector<Candidate>& candidates, embed::Call& call) {
  if (call.pinned_space.empty()) return {};
  drop(candidates, "X-Embedrouter-Space", call,
       [&](const Candidate& c) { return c.endpoint->space != call.pinned_space; });
  if (!candidates.empty()) return {};
  return fail(nothing_in_space());
}

}  // namespace

std::string_view foreign(const Candidate& candidate) {
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

Selector::Selector(const catalog::Catalog& catalog, std::vector<Route> routes, const Clock& clock)
    : catalog_(catalog), clock_(clock) {
  for (Route& route : routes) routes_.emplace(route.endpoint, std::move(route));
}

Result<const catalog::Model*> Selector::find(std::string_view name) const {
  const catalog::Model* model = catalog_.find(name);
  if (model == nullptr) return fail(explain_unknown_model(name));
  return model;
}

Result<std::vector<Candidate>> Selector::able(const catalog::Model& model, catalog::Tier tier,
                                              const EmbedRequest& request, embed::Call& call) const {
  std::vector<Candidate> candidates;
  for (const catalog::Endpoint& endpoint : model.endpoints) {
    const auto route = routes_.find(&endpoint);
    if (route != routes_.end())
      candidates.push_back({&endpoint, route->second.embedder.get(), route->second.state});
  }
  auto kept = filter(candidates, request, tier, call.candidates);
  if (!kept) return kept;
  if (auto pinned = pin(*kept, call); !pinned) return fail(std::move(pinned).error());
  return kept;
}

Result<std::vector<Candidate>> Selector::select(const EmbedRequest& request, embed::Call& call,
                                                Random& random) const {
  const ModelName asked = split_suffix(request.model);
  const auto model = find(asked.name);
  if (!model) return fail(model.error());
  auto kept = able(**model, asked.tier, request, call);
  if (!kept) return kept;
  const auto now = clock_.now();
  order(*kept, request.provider, asked.sort, {now, random});
  if (!may_fall_back(request)) {
    const catalog::Endpoint* top = kept->front().endpoint;
    drop(*kept, "provider.allow_fallbacks", call, [&](const Candidate& c) { return c.endpoint != top; });
  }
  const std::string& space = kept->front().endpoint->space;
  std::vector<embed::CandidateRecord> excluded = std::exchange(call.candidates, {});
  for (const Candidate& c : *kept) {
    c.state->space.want(now);
    const std::string_view out = c.endpoint->space == space ? foreign(c) : "space";
    (out.empty() ? call.candidates : excluded).push_back(record_of(c, std::string(out)));
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
