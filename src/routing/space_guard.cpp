#include "routing/space_guard.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/await_callback.h"

namespace embedrouter::routing {

SpaceGuard::SpaceGuard(std::unique_ptr<embed::Embedder> inner, const catalog::Endpoint& endpoint,
                       EndpointState& state, Prober& prober, Executor executor, Executor probing)
    : inner_(std::move(inner)),
      endpoint_(endpoint),
      state_(state),
      prober_(prober),
      executor_(std::move(executor)),
      probing_(std::move(probing)) {}

Task<Result<api::EmbedReply>> SpaceGuard::embed(const api::EmbedRequest& request, embed::Call& call) {
  if (state_.space.verdict() == Verdict::unknown && !prober_.is_alone(endpoint_)) {
    auto verdict = co_await known();
    if (!verdict) co_return fail(std::move(verdict).error());
  }
  const Verdict verdict = state_.space.verdict();
  if (verdict == Verdict::held_out || verdict == Verdict::quarantined) {
    Error foreign(ErrorCode::no_equivalent_upstream, "the vectors of " + endpoint_.provider_name +
                                                         " are not, or no longer, of the space of this "
                                                         "request");
    co_return fail(std::move(foreign).with_provider(endpoint_.provider_name));
  }
  auto reply = co_await inner_->embed(request, call);
  co_return reply;
}

// Ends with the verdict, the failure to get one, or the caller's leaving, whichever comes first: a probe has
// a deadline of its own, which bounds the wait.
Task<Result<void>> SpaceGuard::known() {
  const auto start = [this](auto done) {
    // `done` is for one call alone, and both the prober and a cancellation may make it.
    struct Once {
      std::atomic<bool> over{false};
      decltype(done) tell;
    };
    auto once = std::shared_ptr<Once>(new Once{{}, std::move(done)});
    const auto tell = [once](Result<void> told) {
      if (!once->over.exchange(true)) once->tell(std::move(told));
    };
    asio::post(probing_, [this, tell] { prober_.when_known(endpoint_, tell); });
    return [tell] { tell(fail(ErrorCode::client_closed, "the client left")); };
  };
  auto told = co_await await_callback<Result<void>>(executor_, start);
  co_return told;
}

}  // namespace embedrouter::routing
