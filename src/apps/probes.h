#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <memory>
#include <thread>

#include "apps/runtime.h"
#include "apps/space_ledger.h"
#include "base/metrics.h"
#include "routing/prober.h"
#include "routing/space_guard.h"

namespace embedrouter::apps {

// The prober with its thread, its history, its log lines and its metrics.
class Probes {
 public:
  // Of the generation `runtime`; its thread runs. Null where [probe] is switched off, and then nothing is
  // held against any endpoint. What `lasting` names must outlive it.
  static Result<std::unique_ptr<Probes>> start(const std::shared_ptr<const Runtime>& runtime,
                                               const gateway::Shared& lasting);
  ~Probes();

  // Ends the probes under way and the thread, and tells those who wait. Not from the prober's thread.
  void stop();
  // What lets `inner`, which answers on `executor`, answer only as what it was found to be.
  std::unique_ptr<embed::Embedder> guard(std::unique_ptr<embed::Embedder> inner,
                                         const catalog::Endpoint& endpoint, routing::EndpointState& state,
                                         Executor executor);

 private:
  Probes(const std::shared_ptr<const Runtime>& runtime, const gateway::Shared& lasting);
  Result<void> begin();

  struct Meters {
    Gauge* state;
    Gauge* cosine;
    Counter *answered, *failed, *drifts;
  };
  Task<void> watch();
  void spawn(Task<void> task);
  void end_if_idle();
  void tell(const routing::SpaceEvent& event);

  const gateway::Shared& lasting_;
  std::shared_ptr<const Runtime> runtime_;
  asio::io_context io_{1};
  SpaceLedger ledger_;
  std::unordered_map<const catalog::Endpoint*, Meters> meters_;
  std::shared_ptr<Runtime::Thread> part_;  // of the generation, on the prober's thread
  std::unique_ptr<routing::Prober> prober_;
  std::list<asio::cancellation_signal> running_;
  bool stopping_ = false;  // of the prober's thread
  std::thread thread_;
};

}  // namespace embedrouter::apps
