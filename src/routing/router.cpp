#include "routing/router.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

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

Router::Router(const Selector& selector, const Clock& clock, Random& random)
    : selector_(selector), clock_(clock), random_(random) {}

Task<Result<EmbedReply>> Router::embed(const EmbedRequest& request, embed::Call& call) {
  auto candidates = selector_.select(request, call);
  if (!candidates) co_return fail(std::move(candidates).error());
  auto reply = co_await try_in_turn(request, *candidates, call);
  co_return reply;
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
