#pragma once
#include <span>

#include "base/clock.h"
#include "base/random.h"
#include "embed/embedder.h"
#include "routing/select.h"

namespace embedrouter::routing {

// Tries the selected endpoints inside one space until one has answered.
// One per I/O thread.
class Router final : public embed::Embedder {
 public:
  // All three must outlive it.
  Router(const Selector& selector, const Clock& clock, Random& random);

  std::string_view name() const override { return "router"; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  Task<Result<api::EmbedReply>> try_in_turn(const api::EmbedRequest& request,
                                            std::span<const Candidate> candidates, embed::Call& call);
  Task<Result<api::EmbedReply>> try_one(const api::EmbedRequest& request, const Candidate& candidate,
                                        embed::Call& call);
  Task<bool> pause_before_retry(const embed::Call& call);

  const Selector& selector_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace embedrouter::routing
