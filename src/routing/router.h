#pragma once
#include <functional>
#include <span>

#include "base/clock.h"
#include "base/random.h"
#include "embed/embedder.h"
#include "routing/progress.h"
#include "routing/select.h"

namespace embedrouter::routing {

// Told when an endpoint's breaker opens or closes; `cause` is null when it closes. Called on the thread of
// the request.
using HealthListener =
    std::function<void(const catalog::Endpoint& endpoint, const Health::Change& change, const Error* cause)>;

// Tries the selected endpoints inside one space until all items are answered; each is asked only for what is
// left. Another endpoint is asked before the same one is asked again. One per I/O thread.
class Router final : public embed::Embedder {
 public:
  // All must outlive it.
  Router(const Selector& selector, const Clock& clock, Random& random, HealthListener listener = {});

  std::string_view name() const override { return "router"; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  class Failures;
  Task<bool> try_in_turn(Progress& progress, std::span<Candidate> candidates, embed::Call& call,
                         Failures& failures);
  Task<bool> try_one(Progress& progress, const Candidate& candidate, embed::Call& call, Failures& failures);
  Task<bool> try_again(Progress& progress, embed::Call& call, Failures& failures);
  Task<bool> try_without_item(Progress& progress, const Candidate& candidate, embed::Call& call,
                              Failures& failures);
  void report(const Candidate& candidate, const Result<api::EmbedReply>& outcome, Clock::Steady began);
  bool may_retry(const Candidate& candidate) const;

  const Selector& selector_;
  const Clock& clock_;
  Random& random_;
  HealthListener listener_;
};

}  // namespace embedrouter::routing
