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
  void add(const Candidate& candidate, Error error) {
    const ErrorTraits& policy = traits(error.code());
    if (policy.retry && again_ == nullptr) {
      again_ = &candidate;
      wait_ = error.retry_after().value_or(kRetryPause);
    }
    final_ = !policy.fall_back;
    const bool of_item = error.code() == ErrorCode::upstream_invalid_vector && error.item();
    if (!of_item || (!errors_.empty() && item_ != error.item())) {
      item_.reset();
    } else if (errors_.empty()) {
      item_ = error.item();
    }
    errors_.push_back(std::move(error));
  }
  bool is_final() const { return final_; }
  // Null if no endpoint may succeed when asked once more.
  const Candidate* again() const { return final_ || wait_ > kLongestPause ? nullptr : again_; }
  Milliseconds wait() const { return wait_; }
  // The item whose vector was the fault each time.
  std::optional<std::uint32_t> item() const { return item_; }
  Error outcome() {
    if (final_ || errors_.size() == 1) return std::move(errors_.back());
    return outcome_of_failures(std::move(errors_));
  }

 private:
  std::vector<Error> errors_;
  std::optional<std::uint32_t> item_;
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
  Progress progress(request);
  const std::span<Candidate> able(candidates->begin(), elsewhere);
  const bool answered = co_await try_in_turn(progress, able, call, failures);
  if (answered) co_return progress.outcome();
  Error last = failures.outcome();
  if (failures.is_final() || !other_space) co_return progress.outcome(std::move(last));
  Error none(ErrorCode::no_equivalent_upstream,
             "every endpoint in the vector space of this request failed; the model's other endpoints are in "
             "another space, and their vectors could not be compared with yours");
  none = std::move(none).with_detail(last.message()).with_provider(last.provider(), last.provider_code());
  if (last.retry_after()) none = std::move(none).with_retry_after(*last.retry_after());
  co_return progress.outcome(std::move(none));
}

// True if every item has its answer, or is refused for good.
Task<bool> Router::try_in_turn(Progress& progress, std::span<Candidate> candidates, embed::Call& call,
                               Failures& failures) {
  std::size_t postponed = 0;
  for (std::size_t at = 0; at < candidates.size();) {
    const auto rest = candidates.subspan(at);
    const Candidate& candidate = rest.front();
    if (postponed < rest.size() && !candidate.state->health.admit(clock_.now())) {
      std::ranges::rotate(rest, rest.begin() + 1);  // others first; it is proving itself with another request
      ++postponed;
      continue;
    }
    call.last_endpoint = rest.size() == 1;
    const bool answered = co_await try_one(progress, candidate, call, failures);
    if (answered) co_return true;
    if (failures.is_final()) co_return false;
    if (clock_.now() >= call.deadline) break;
    ++at;
  }
  const bool answered = co_await try_again(progress, call, failures);
  if (answered || failures.is_final() || !failures.item()) co_return answered;
  co_return co_await try_without_item(progress, candidates.front(), call, failures);
}

// One endpoint once more, if that may help, the deadline leaves time and the endpoint's budget has one left.
Task<bool> Router::try_again(Progress& progress, embed::Call& call, Failures& failures) {
  const Candidate* candidate = failures.again();
  if (candidate == nullptr) co_return false;
  const auto wait = failures.wait() + Milliseconds(random_.below(kRetryPause.count()));
  if (clock_.now() + wait >= call.deadline || !may_retry(*candidate)) co_return false;
  const auto executor = co_await asio::this_coro::executor;
  Timer timer(executor, wait);
  co_await timer.async_wait(kAwait);
  co_return co_await try_one(progress, *candidate, call, failures);
}

// A fault that follows one item wherever it is asked for is the caller's to mend (DESIGN 3.2), if the others
// are answered without it: an endpoint that spoils every answer is not the item's fault.
Task<bool> Router::try_without_item(Progress& progress, const Candidate& candidate, embed::Call& call,
                                    Failures& failures) {
  const std::uint32_t item = *failures.item();
  std::vector<std::uint32_t> others = progress.pending_items();
  std::erase(others, item);
  if (!others.empty()) {
    if (clock_.now() >= call.deadline || !may_retry(candidate)) co_return false;
    progress.ask_for(std::move(others));
    const bool answered = co_await try_one(progress, candidate, call, failures);
    if (!answered) co_return false;
  } else if (!progress.has_answers()) {
    co_return false;
  }
  const Error useless(ErrorCode::upstream_rejected, "no provider could make a usable vector of it");
  progress.refuse(item, embed::blaming(useless, item));
  co_return true;
}

bool Router::may_retry(const Candidate& candidate) const {
  const auto now = clock_.now();
  const auto recent = candidate.state->statistics.counts(now, RetryBudget::kWindow).attempts();
  return candidate.state->retries.take(now, recent);
}

// True if what was pending is answered now.
Task<bool> Router::try_one(Progress& progress, const Candidate& candidate, embed::Call& call,
                           Failures& failures) {
  Asking asking(candidate.state->health);
  const auto began = clock_.now();
  auto reply = co_await candidate.embedder->embed(progress.pending(), call);
  asking.has_ended();
  report(candidate, reply, began);
  if (reply) charge(*reply, *candidate.endpoint);
  auto failure = progress.take(std::move(reply));
  if (!failure) co_return true;
  failures.add(candidate, *std::move(failure));
  co_return false;
}

// An endpoint that answers some of what it is asked is up.
void Router::report(const Candidate& candidate, const Result<EmbedReply>& outcome, Clock::Steady began) {
  const Error* error = nullptr;
  if (!outcome) {
    error = &outcome.error();
  } else if (outcome->failed.size() == outcome->data.size()) {
    error = &outcome->failed.front().error;
  }
  EndpointState& state = *candidate.state;
  const auto now = clock_.now();
  const auto change =
      error == nullptr
          ? state.health.succeed(now, began)
          : state.health.fail(now, *error, state.statistics.counts(now, Health::kOutage), random_, began);
  if (change && listener_) listener_(*candidate.endpoint, *change, error);
}

}  // namespace embedrouter::routing
