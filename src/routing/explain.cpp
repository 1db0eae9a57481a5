#include <algorithm>
#include <utility>

#include "embed/batch_limits.h"
#include "routing/filter.h"
#include "routing/order.h"
#include "routing/select.h"

namespace embedrouter::routing {
namespace {

using api::EmbedRequest;
using api::ExplainedEndpoint;
using Time = std::chrono::steady_clock::time_point;

std::uint32_t calls_for(std::span<const api::Item> items, const embed::BatchLimits& limits) {
  std::uint32_t calls = 0;
  for (; !items.empty(); ++calls) items = items.subspan(embed::part_size(items, limits));
  return calls;
}

ExplainedEndpoint explained(const catalog::Endpoint& endpoint, const EndpointState& state,
                            const EmbedRequest& request, Time now) {
  constexpr double kMsPerSecond = 1e3;
  ExplainedEndpoint shown;
  shown.id = endpoint.id;
  shown.provider = endpoint.provider_name;
  shown.provider_slug = endpoint.provider_slug;
  shown.space = endpoint.space;
  shown.price_prompt = endpoint.price_prompt;
  const Health::Snapshot health = state.health.snapshot(now);
  shown.state = name_of(health.state);
  shown.standing = name_of(health.standing);
  if (health.until > now) shown.seconds_left = std::chrono::duration<double>(health.until - now).count();
  const auto counts = state.statistics.counts(now, kMeasured);
  shown.successes = counts.successes;
  shown.failures = counts.failures;
  shown.rate_limited = counts.rate_limited;
  shown.latency_ms = state.statistics.latency_seconds(now, 0.5, kMeasured);
  if (shown.latency_ms) *shown.latency_ms *= kMsPerSecond;
  const embed::BatchLimits declared{endpoint.max_batch_items, endpoint.max_batch_tokens,
                                    endpoint.max_batch_bytes};
  const embed::BatchLimits limits = state.learned.within(declared, now);
  shown.max_batch_items = limits.items;
  shown.max_batch_tokens = limits.tokens;
  shown.calls = calls_for(request.items, limits);
  return shown;
}

std::string reason_for(const std::string& dropped_by, const catalog::Endpoint& endpoint,
                       const EmbedRequest& request, catalog::Tier admitted) {
  if (dropped_by == "space") return "its vectors could not be compared with those of the request's space";
  if (dropped_by == "quarantine")
    return "its canaries show that it has drifted; `embedrouter endpoints` has more";
  if (dropped_by == "X-Embedrouter-Space") return "its vectors are not of the space that is pinned";
  auto out = exclude(endpoint, request, admitted);
  return out ? std::move(out->reason) : std::string();
}

}  // namespace

Result<api::Explanation> Selector::explain(const EmbedRequest& request, std::string_view pinned_space) const {
  const ModelName asked = split_suffix(request.model);
  const auto model = find(asked.name);
  if (!model) return fail(model.error());
  const auto now = clock_.now();
  const Strategy* strategy = strategy_of(request.provider, asked.sort);
  api::Explanation told;
  told.model = (*model)->id;
  told.requested = request.model;
  told.strategy = strategy != nullptr ? strategy->name : "order";
  told.fallbacks = may_fall_back(request);
  told.items = static_cast<std::uint32_t>(request.items.size());

  embed::Call call("", now);
  call.pinned_space = pinned_space;
  auto kept = able(**model, asked.tier, request, call);
  std::vector<embed::CandidateRecord> dropped = std::move(call.candidates);
  if (kept) {
    expected_order(*kept, request.provider, asked.sort, now);
    const std::string& space = kept->front().endpoint->space;
    std::erase_if(*kept, [&](const Candidate& candidate) {
      const std::string_view out = candidate.endpoint->space == space ? foreign(candidate) : "space";
      if (!out.empty()) dropped.push_back(record_of(candidate, std::string(out)));
      return !out.empty();
    });
    const auto shares = expected_order(*kept, request.provider, asked.sort, now);
    for (std::size_t i = 0; i < kept->size(); ++i) {
      const Candidate& candidate = (*kept)[i];
      ExplainedEndpoint& shown =
          told.endpoints.emplace_back(explained(*candidate.endpoint, *candidate.state, request, now));
      shown.standing = name_of(candidate.standing);  // the one it is routed by: not all may be ejected
      shown.place = static_cast<std::uint32_t>(i + 1);
      shown.share = shares[i];
    }
  } else {
    told.fault = std::move(kept).error();
  }
  for (const embed::CandidateRecord& record : dropped) {
    const auto endpoint = std::ranges::find((*model)->endpoints, record.endpoint, &catalog::Endpoint::id);
    ExplainedEndpoint& shown =
        told.endpoints.emplace_back(explained(*endpoint, *routes_.at(&*endpoint).state, request, now));
    shown.dropped_by = record.excluded_by;
    shown.why = reason_for(record.excluded_by, *endpoint, request, asked.tier);
  }
  return told;
}

}  // namespace embedrouter::routing
