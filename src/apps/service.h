#pragma once
// The wiring of `embedrouter serve`: every object of the running router is made here and passed down.

#include <embedrouter/result.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "gateway/gateway.h"
#include "inference/local_model.h"
#include "ledger/keys.h"
#include "net/client.h"
#include "net/server.h"
#include "routing/router.h"
#include "telemetry/exporter.h"

namespace embedrouter::apps {

class Service {
 public:
  // Loads the model, opens the keys, listens. On failure nothing runs and the message says what to do.
  static Result<std::unique_ptr<Service>> start(const catalog::Config& config, Log& log);
  ~Service();

  std::uint16_t port() const { return server_->port(); }
  const catalog::Catalog& catalog() const { return *catalog_; }
  // Serves on the I/O threads until `drain` and the last request are over.
  void run();
  // From any thread but the service's own: requests under way get `grace` to finish. Returns when all have,
  // or the grace is over; run() then returns.
  void drain(std::chrono::milliseconds grace);

 private:
  // One I/O thread and all that belongs to it.
  struct Worker {
    explicit Worker(std::uint64_t seed) : random(seed) {}
    asio::io_context io{1};
    Random random;
    std::unordered_map<std::string, std::unique_ptr<net::Client>> clients;  // by provider slug
    std::unique_ptr<routing::Selector> selector;
    std::unique_ptr<routing::Router> router;
    std::unique_ptr<gateway::Gateway> gateway;
    std::unique_ptr<gateway::Probe> probe;
    std::thread thread;
  };

  Service(const catalog::Config& config, Log& log);
  Result<void> load_model();
  Result<void> open_keys();
  Result<void> listen();
  Result<void> start_export();
  void watch_gauges();
  Result<std::unique_ptr<Worker>> make_worker(std::size_t index);
  std::unique_ptr<gateway::Probe> make_probe(std::size_t index, Worker& worker);
  Result<std::unique_ptr<embed::Embedder>> make_embedder(const catalog::Endpoint& endpoint, Worker& worker);
  Result<std::unique_ptr<embed::Embedder>> make_remote(const catalog::Endpoint& endpoint, Worker& worker);

  catalog::Config config_;
  Log& log_;
  SystemClock clock_;
  Metrics metrics_;
  routing::EndpointStates endpoints_;
  ledger::UsageMeter usage_;
  gateway::InFlight in_flight_;
  std::unique_ptr<inference::LocalModel> model_;
  std::shared_ptr<const catalog::Catalog> catalog_;
  std::unique_ptr<ledger::KeyRing> keys_;
  std::unique_ptr<telemetry::Exporter> exporter_;
  std::unique_ptr<gateway::Readiness> readiness_;
  gateway::Shared shared_;
  std::unique_ptr<net::Server> server_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

inference::ModelOptions model_options(const catalog::Config& config);
// The key of a provider from its variable or its file; empty if it names neither.
Result<std::string> provider_key(const catalog::ProviderConfig& provider);

}  // namespace embedrouter::apps
