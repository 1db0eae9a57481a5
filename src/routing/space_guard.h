#pragma once
#include <memory>

#include "routing/prober.h"

namespace embedrouter::routing {

// Lets an endpoint answer only as what its vectors have been found to be. While that is not known and its
// space has other endpoints, the request waits for the verdict: once in the life of a data directory. An
// endpoint alone in its space has nobody to be mistaken for, and does not wait. One per endpoint and I/O
// thread.
class SpaceGuard final : public embed::Embedder {
 public:
  // `state` and `prober` must outlive it. `executor`: of its I/O thread; `probing`: of the prober's.
  SpaceGuard(std::unique_ptr<embed::Embedder> inner, const catalog::Endpoint& endpoint, EndpointState& state,
             Prober& prober, Executor executor, Executor probing);

  std::string_view name() const override { return inner_->name(); }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  Task<Result<void>> known();

  std::unique_ptr<embed::Embedder> inner_;
  const catalog::Endpoint& endpoint_;
  EndpointState& state_;
  Prober& prober_;
  Executor executor_, probing_;
};

}  // namespace embedrouter::routing
