#pragma once
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "embed/embedder.h"
#include "embed/endpoint_statistics.h"
#include "embed/gate.h"

namespace embedrouter::embed {

struct AttemptOptions {
  std::string endpoint;  // id, for records and metrics
  std::string provider;  // display name, for records and errors
  VectorContract contract;
};

// One call to one endpoint, whole: the call itself, the gate, the record.
// What comes out is a reply that passed or an Error that names the provider.
class Attempt final : public Embedder {
 public:
  // `statistics` (the endpoint's), `clock` and `metrics` must outlive it.
  Attempt(std::unique_ptr<Embedder> inner, AttemptOptions options, EndpointStatistics& statistics,
          const Clock& clock, Metrics& metrics);

  std::string_view name() const override { return options_.endpoint; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, Call& call) override;

 private:
  Task<Result<api::EmbedReply>> ask(const api::EmbedRequest& request, std::uint64_t span, Call& call);
  // Asks for two suspicious items alone; fails if they then differ, since the batch mixed them up.
  Task<Result<void>> resolve_twins(const api::EmbedRequest& request, Gate::Twins twins, std::uint64_t span,
                                   Call& call);
  void record(const Result<api::EmbedReply>& outcome, Clock::Steady start, std::uint64_t span, Call& call);

  std::unique_ptr<Embedder> inner_;
  AttemptOptions options_;
  EndpointStatistics& statistics_;
  const Clock& clock_;
  Gate gate_;
  Counter& answered_;
  Counter& failed_;
  Counter& other_model_;
  Histogram& seconds_;
};

}  // namespace embedrouter::embed
