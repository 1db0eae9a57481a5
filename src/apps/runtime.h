#pragma once
// What one configuration makes: a generation of the running router. Requests keep the generation they began
// with; new ones take the newest. Built whole before anything is switched, and never changed after.

#include <embedrouter/result.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "gateway/gateway.h"
#include "hub/manifest.h"
#include "inference/local_model.h"
#include "net/client.h"
#include "net/server.h"
#include "providers/dialect.h"
#include "providers/keys.h"
#include "providers/remote.h"
#include "routing/prober.h"
#include "routing/router.h"

namespace embedrouter::apps {

// A model inside the router, shared by the generations that would make the same.
struct EmbeddedModel {
  inference::ModelOptions options;
  hub::Manifest manifest;  // of what was installed by the command; else empty
  std::unique_ptr<inference::LocalModel> model;
};

struct EmbeddedModels {
  std::shared_ptr<EmbeddedModel> standing;  // of [embedded] model_dir, always in memory; null: there is none
  std::vector<std::shared_ptr<EmbeddedModel>> on_demand;
};

class Probes;

class Runtime : public std::enable_shared_from_this<Runtime> {
 public:
  class Thread;

  // `lasting` holds what outlives every generation; its catalog, limits and origins are not looked at.
  // `key_pools` gets a fresh pool for each provider. Fails where the configuration names what cannot be used
  // (a key, a certificate, a dialect), with a message for the operator.
  static Result<std::shared_ptr<const Runtime>> make(catalog::Config config, EmbeddedModels embedded,
                                                     const gateway::Shared& lasting,
                                                     providers::KeyPools& key_pools);
  // Through make() only; public for make_shared.
  Runtime(catalog::Config config, EmbeddedModels embedded, const gateway::Shared& lasting);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  // The part of one I/O thread, which keeps its generation alive. May be made on any thread; used, and once
  // used destroyed, on that of `io`. Both arguments must outlive it.
  // `probes`: of this generation; null: endpoints are believed to be of the space they are declared of.
  Result<std::shared_ptr<Thread>> make_thread(asio::io_context& io, Random& random,
                                              std::shared_ptr<Probes> probes) const;
  // The part of the prober's thread, without what answers callers.
  Result<std::shared_ptr<Thread>> make_probing_thread(asio::io_context& io) const;

  // Has the endpoints keep to its numbers of calls at a time, over all threads and generations: when it is
  // adopted.
  void set_places() const;

  const catalog::Config& config() const noexcept { return config_; }
  const catalog::Catalog& catalog() const noexcept { return *shared_.catalog; }
  const EmbeddedModels& embedded() const noexcept { return embedded_; }

 private:
  // How one provider is reached, the same on all threads.
  struct Upstream {
    const providers::Dialect* dialect = nullptr;
    net::Url url;
    net::ClientOptions client;
    providers::RemoteOptions remote;
    std::uint32_t max_concurrency = 0;
  };
  inference::LocalModel& model_of(const catalog::Endpoint& endpoint) const;
  Result<void> add_upstream(const catalog::ProviderConfig& provider, providers::KeyPools& key_pools);

  const catalog::Config config_;
  const EmbeddedModels embedded_;
  gateway::Shared shared_;
  std::unordered_map<std::string, Upstream> upstreams_;  // by provider slug
  Gauge& alive_;
};

// The part of a generation that belongs to one I/O thread.
class Runtime::Thread {
 public:
  gateway::Gateway& gateway() noexcept { return *gateway_; }
  // What the thread's readiness is tested with; null without the default embedded model.
  embed::Embedder* embedded() const noexcept { return embedded_.get(); }
  embed::VectorContract embedded_contract() const noexcept { return embedded_contract_; }
  // How long its slowest compute thread has been at its present piece of work.
  std::chrono::nanoseconds embedded_busy() const;
  // All endpoints, in the order of the configuration within a model.
  Result<std::vector<routing::Prober::Member>> make_members();

 private:
  friend class Runtime;
  Thread(std::shared_ptr<const Runtime> runtime, asio::io_context& io)
      : runtime_(std::move(runtime)), io_(io) {}
  Result<std::unique_ptr<embed::Embedder>> make_embedder(const catalog::Endpoint& endpoint);
  Result<std::unique_ptr<embed::Embedder>> make_remote(const catalog::Endpoint& endpoint,
                                                       const Upstream& upstream);

  std::shared_ptr<const Runtime> runtime_;
  std::shared_ptr<Probes> probes_;
  asio::io_context& io_;
  std::unordered_map<std::string, std::unique_ptr<net::Client>> clients_;  // by provider slug
  std::unique_ptr<embed::Embedder> embedded_;
  embed::VectorContract embedded_contract_;
  std::unique_ptr<routing::Selector> selector_;
  std::unique_ptr<routing::Router> router_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

// Has each request answered by the generation that is the newest when it begins. One per I/O thread, used
// from it.
class Front final : public net::Handler {
 public:
  Task<net::Response> handle(net::Exchange& exchange) override;
  net::Response refuse(const Error& error) override { return current_->gateway().refuse(error); }

  // Before the first request, and then whenever a configuration is reloaded. The one before ends with its
  // last request.
  void adopt(std::shared_ptr<Runtime::Thread> next) { current_.swap(next); }
  void drop() { current_.reset(); }

 private:
  std::shared_ptr<Runtime::Thread> current_;
};

}  // namespace embedrouter::apps
