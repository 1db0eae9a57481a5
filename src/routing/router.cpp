#include "routing/router.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "routing/failures.h"

namespace embedrouter::routing {
namespace {

using api::EmbedReply;
using api::EmbedRequest;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kRetryPause{50};       // with as much again, at random
constexpr Milliseconds kLongestPause{1'000};  // an endpoint that wants more is not asked again

void charge(EmbedReply& reply, const catalog::Endpoint& endpoint) {
  reply.usage.cost_pico_usd =
      static_cast<std::int64_t>(reply.usage.prompt_tokens) * endpoint.pico_usd_per_token;
}

// An attempt under way. A client that leaves ends the coroutine it is in, and nothing is reported.
class Asking {
 public:
  explicit Asking(Health& health) : health_(&health) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() {
    if (health_ != nullptr) health_->give_up();
  }
  void has_ended() noexcept { health_ = nullptr; }

 private:
  Health* health_;
};

}  // namespace

// Of one request: the last of each endpoint, and which endpoint is to be asked again.
class Router::Failures {
 public:
  // False if no other endpoint can help.
  bool add(const Candidate& candidate, Error error) {
    const ErrorTraits& policy = traits(error.code());
    if (policy.retry && again_ == nullptr) {
      again_ = &candidate;
      wait_ = error.retry_after().value_or(kRetryPause);
    }
    final_ = !policy.fall_back;
    errors_.push_back(std::move(error));
    return !final_;
  }
  bool is_final() const { return final_; }
  // Null if no endpoint may succeed when asked once more.
  const Candidate* again() const { return final_ || wait_ > kLongestPause ? nullptr : again_; }
  Milliseconds wait() const { return wait_; }
  Error outcome() {
    if (final_ || errors_.size() == 1) return std::move(errors_.back());
    return outcome_of_failures(std::move(errors_));
  }

 private:
  std::vector<Error> errors_;
  const Candidate* again_ = nullptr;
  Milliseconds wait_{0};
  bool final_ = false;
};

Router::Router(const Selector& selector, const Clock& clock, Random& random, HealthListener listener)
    : selector_(selector), clock_(clock), random_(random), listener_(std::move(listener)) {}

// A request stays in the space of its first candidate; those behind are of others.
Task<Result<EmbedReply>> Router::embed(const EmbedRequest& request, embed::Call& call) {
  auto candidates = selector_.select(request, call, random_);
  if (!candidates) co_return fail(std::move(candidates).error());
  const std::string& space = candidates->front().endpoint->space;
  const auto elsewhere =
      std::ranges::find_if(*candidates, [&](const Candidate& c) { return c.endpoint->space != space; });
  const bool other_space = elsewhere != candidates->end();
  Failures failures;
  const std::span<Candidate> able(candidates->begin(), elsewhere);
  auto reply = co_await try_in_turn(request, able, call, failures);
  if (reply || failures.is_final() || !other_space) co_return reply;
  const Error& last = reply.error();
  Error none(ErrorCode::no_equivalent_upstream,
             "every endpoint in the vector space of this request failed; the model's other endpoints are in "
             "another space, and their vectors could not be compared with yours");
  none = std::move(none).with_detail(last.message()).with_provider(last.provider(), last.provider_code());
  if (last.retry_after()) none = std::move(none).with_retry_after(*last.retry_after());
  co_return fail(std::move(none));
}

Task<Result<EmbedReply>> Router::try_in_turn(const EmbedRequest& request, std::span<Candidate> candidates,
                                             embed::Call& call, Failures& failures) {
  const bool fallbacks = may_fall_back(request);
  std::size_t postponed = 0;
  for (std::size_t at = 0; at < candidates.size();) {
    const auto rest = candidates.subspan(at);
    const Candidate& candidate = rest.front();
    if (postponed < rest.size() && !candidate.state->health.admit(clock_.now())) {
      std::ranges::rotate(rest, rest.begin() + 1);  // others first; it is proving itself with another request
      ++postponed;
      continue;
    }
    auto reply = co_await try_one(request, candidate, call);
    if (reply) co_return reply;
    if (!failures.add(candidate, std::move(reply).error())) co_return fail(failures.outcome());
    if (!fallbacks || clock_.now() >= call.deadline) break;
    ++at;
  }
  auto reply = co_await try_again(request, call, failures);
  co_return reply;
}

// One endpoint once more, if that may help, the deadline leaves time and the endpoint's budget has one left.
Task<Result<EmbedReply>> Router::try_again(const EmbedRequest& request, embed::Call& call,
                                           Failures& failures) {
  const Candidate* candidate = failures.again();
  if (candidate == nullptr) co_return fail(failures.outcome());
  const auto now = clock_.now();
  const auto wait = failures.wait() + Milliseconds(random_.below(kRetryPause.count()));
  const auto recent = candidate->state->statistics.counts(now, RetryBudget::kWindow).attempts();
  if (now + wait >= call.deadline || !candidate->state->retries.take(now, recent))
    co_return fail(failures.outcome());
  const auto executor = co_await asio::this_coro::executor;
  Timer timer(executor, wait);
  co_await timer.async_wait(kAwait);
  auto reply = co_await try_one(request, *candidate, call);
  if (reply) co_return reply;
  failures.add(*candidate, std::move(reply).error());
  co_return fail(failures.outcome());
}

Task<Result<EmbedReply>> Router::try_one(const EmbedRequest& request, const Candidate& candidate,
                                         embed::Call& call) {
  Asking asking(candidate.state->health);
  const auto began = clock_.now();
  auto reply = co_await candidate.embedder->embed(request, call);
  asking.has_ended();
  report(candidate, reply, began);
  if (reply) charge(*reply, *candidate.endpoint);
  co_return reply;
}

void Router::report(const Candidate& candidate, const Result<EmbedReply>& outcome, Clock::Steady began) {
  EndpointState& state = *candidate.state;
  const auto now = clock_.now();
  const auto change = outcome ? state.health.succeed(now, began)
                              : state.health.fail(now, outcome.error(),
                                                  state.statistics.counts(now, Health::kOutage), random_, began);
  if (change && listener_) listener_(*candidate.endpoint, *change, outcome ? nullptr : &outcome.error());
}

}  // namespace embedrouter::routing
