#pragma once
// The wiring of `embedrouter serve`: what outlives a configuration is made here and passed down; what a
// configuration makes is a Runtime.

#include <embedrouter/result.h>

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apps/installed_models.h"
#include "apps/probes.h"
#include "apps/runtime.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "gateway/gateway.h"
#include "inference/local_model.h"
#include "inference/model_pool.h"
#include "ledger/keys.h"
#include "net/server.h"
#include "providers/keys.h"
#include "telemetry/exporter.h"

namespace embedrouter::apps {

class Service {
 public:
  // Loads the model, opens the keys, listens. On failure nothing runs and the message says what to do.
  static Result<std::unique_ptr<Service>> start(const catalog::Config& config, Log& log);
  ~Service();

  std::uint16_t port() const { return server_->port(); }
  // Serves on the I/O threads until `drain` and the last request are over.
  void run();
  // Has `read` called on a thread of the service's own, and goes on with the configuration it returns:
  // requests under way end as they began, new ones meet the new. Where it has faults, or names what cannot be
  // used, nothing changes. Both are said in the log and counted. Thread-safe; a second call before the first
  // has begun is the same reload.
  void reload(std::function<catalog::ConfigOutcome()> read);
  // From any thread but the service's own: requests under way get `grace` to finish. Returns when all have,
  // or the grace is over; run() then returns. No reload begins any more.
  void drain(std::chrono::milliseconds grace);

 private:
  // One I/O thread and all that belongs to it.
  struct Worker {
    Worker(gateway::Readiness& readiness, std::size_t index)
        : random(secure_seed()), probe(readiness, index, io.get_executor()) {}
    // On the thread, or before it runs.
    void adopt(const std::shared_ptr<Runtime::Thread>& part);

    asio::io_context io{1};
    Random random;
    gateway::Probe probe;
    Front front;
    std::thread thread;
  };

  Service(const catalog::Config& config, Log& log);
  Result<void> open_keys(const catalog::Config& config);
  Result<void> listen(const catalog::Config& config);
  Result<void> start_export(const catalog::Config& config);
  Result<void> begin(const catalog::Config& config);
  void watch_gauges();
  void watch_model();
  void watch_pool();
  void watch_reloads();

  // A configuration made real, not yet in use, with its part of each thread.
  struct Generation {
    std::shared_ptr<const Runtime> runtime;
    std::vector<std::shared_ptr<Runtime::Thread>> parts;
  };
  Result<Generation> prepare(catalog::Config config);
  Result<EmbeddedModels> models_for(const catalog::Config& config);
  Result<std::shared_ptr<EmbeddedModel>> standing_model(const catalog::Config::Embedded& section);
  Result<std::vector<std::shared_ptr<EmbeddedModel>>> on_demand_models(const catalog::Config& config);
  Result<std::shared_ptr<EmbeddedModel>> on_demand_model(const catalog::Config& config,
                                                         const hub::Installed& installed);
  std::shared_ptr<EmbeddedModel> keep(EmbeddedModel made);
  void end_model(EmbeddedModel* unused);
  // What happens in the pool, from its thread.
  void note(const inference::PoolEvent& event);
  Counter& model_loads(bool good);
  Counter& model_unloads(bool idle);
  Result<std::shared_ptr<Probes>> start_probes(const std::shared_ptr<const Runtime>& runtime);
  void finish_background();
  // Batches, tokens and texts of all models there were.
  inference::LocalModel::Load model_totals() const;

  void reload_now(const std::function<catalog::ConfigOutcome()>& read);
  Result<void> go_on_with(catalog::Config config);
  std::shared_ptr<const Runtime> current() const;

  Log& log_;
  SystemClock clock_;
  Metrics metrics_;
  routing::EndpointStates endpoints_;
  providers::KeyPools key_pools_;
  ledger::UsageMeter usage_;
  gateway::InFlight in_flight_;
  inference::ModelPool pool_;
  std::unique_ptr<ledger::KeyRing> keys_;
  std::unique_ptr<telemetry::Exporter> exporter_;
  gateway::Readiness readiness_;
  gateway::Shared lasting_;
  std::unique_ptr<net::Server> server_;
  std::vector<std::unique_ptr<Worker>> workers_;

  mutable std::mutex current_mutex_;
  std::shared_ptr<const Runtime> current_;
  mutable std::mutex models_mutex_;
  std::vector<std::weak_ptr<EmbeddedModel>> models_;  // those that may still be in use
  inference::LocalModel::Load ended_models_;          // the totals of the others
  std::atomic<bool> reload_waits_{false}, ending_{false};
  Counter* reloads_ok_ = nullptr;
  Counter* reloads_refused_ = nullptr;
  Gauge* last_success_ = nullptr;
  std::vector<std::weak_ptr<Probes>>
      probes_;  // those that may still run; of the background thread and start()
  // Reloads, and the end of models and probers that nothing uses any more, which waits for their threads: in
  // turn.
  asio::thread_pool background_{1};
};

LogLevel level_of(const std::string& name);
net::ServerLimits server_limits(const catalog::Config::Limits& configured);
net::ServerTls server_tls(const catalog::Config::Server& configured);
// The settings that differ and take effect only when the router is started again: "[server] listen".
std::vector<std::string> needing_restart(const catalog::Config& running, const catalog::Config& read);

}  // namespace embedrouter::apps
