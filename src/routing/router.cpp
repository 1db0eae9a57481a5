#include "routing/router.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <iterator>
#include <utility>

#include "routing/filter.h"
#include "routing/order.h"

namespace embedrouter::routing {
namespace {

using api::EmbedReply;
using api::EmbedRequest;

constexpr std::chrono::milliseconds kRetryPause{50};  // with as much again, at random

void charge(EmbedReply& reply, const catalog::Endpoint& endpoint) {
  reply.usage.cost_pico_usd =
      static_cast<std::int64_t>(reply.usage.prompt_tokens) * endpoint.pico_usd_per_token;
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

Router::Router(const catalog::Catalog& catalog, std::vector<Route> routes, const Clock& clock, Random& random)
    : catalog_(catalog), clock_(clock), random_(random) {
  for (Route& route : routes) routes_.emplace(route.endpoint, std::move(route));
}

Task<Result<EmbedReply>> Router::embed(const EmbedRequest& request, embed::Call& call) {
  auto candidates = plan(request, call);
  if (!candidates) co_return fail(std::move(candidates).error());
  auto reply = co_await try_in_turn(request, *candidates, call);
  co_return reply;
}

// The endpoints to try, in order.
Result<std::vector<Candidate>> Router::plan(const EmbedRequest& request, embed::Call& call) {
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
      candidates.push_back({&endpoint, route->second.embedder.get(), route->second.statistics});
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
  order(*kept, request.provider, asked.sort, clock_.now());
  std::vector<embed::CandidateRecord> excluded = std::exchange(call.candidates, {});
  for (const Candidate& c : *kept) {
    const bool in_space = c.endpoint->space == kept->front().endpoint->space;
    (in_space ? call.candidates : excluded).push_back(record_of(c, in_space ? "" : "space"));
  }
  std::ranges::move(excluded, std::back_inserter(call.candidates));
  return kept;
}

// A request stays in the space of its first candidate.
Task<Result<EmbedReply>> Router::try_in_turn(const EmbedRequest& request,
                                             std::span<const Candidate> candidates, embed::Call& call) {
  const std::string& space = candidates.front().endpoint->space;
  const bool fallbacks =
      request.provider == nullptr || request.provider->allow_fallbacks || request.provider->has_order;
  bool other_space = false;
  std::optional<Error> last;
  for (const Candidate& candidate : candidates) {
    if (candidate.endpoint->space != space) {
      other_space = true;
      continue;
    }
    if (last && (!fallbacks || clock_.now() >= call.deadline)) break;
    auto reply = co_await try_one(request, candidate, call);
    if (reply) co_return reply;
    last = std::move(reply).error();
    if (!traits(last->code()).fall_back) break;
  }
  if (other_space && traits(last->code()).fall_back) {
    Error none(ErrorCode::no_equivalent_upstream,
               "every endpoint in the vector space of this request failed; the model's other endpoints are "
               "in another space, and "
               "their vectors could not be compared with yours");
    co_return fail(
        std::move(none).with_detail(last->message()).with_provider(last->provider(), last->provider_code()));
  }
  co_return fail(*std::move(last));
}

// One endpoint, asked once more if that may help.
Task<Result<EmbedReply>> Router::try_one(const EmbedRequest& request, const Candidate& candidate,
                                         embed::Call& call) {
  auto reply = co_await candidate.embedder->embed(request, call);
  if (!reply && traits(reply.error().code()).retry) {
    const bool in_time = co_await pause_before_retry(call);
    if (in_time) reply = co_await candidate.embedder->embed(request, call);
  }
  if (reply) charge(*reply, *candidate.endpoint);
  co_return reply;
}

// False if the caller's deadline leaves no time for another try.
Task<bool> Router::pause_before_retry(const embed::Call& call) {
  const auto wait = kRetryPause + std::chrono::milliseconds(random_.below(kRetryPause.count()));
  if (clock_.now() + wait >= call.deadline) co_return false;
  const auto executor = co_await asio::this_coro::executor;
  Timer timer(executor, wait);
  co_await timer.async_wait(kAwait);
  co_return true;
}

}  // namespace embedrouter::routing
