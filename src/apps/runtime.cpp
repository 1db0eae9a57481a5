#include "apps/runtime.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/health_watch.h"
#include "apps/probes.h"
#include "apps/provider_keys.h"
#include "apps/upstream_options.h"
#include "embed/attempt.h"
#include "embed/split.h"
#include "local/embedded_facts.h"
#include "providers/dialect.h"
#include "providers/local.h"

namespace embedrouter::apps {

namespace {

catalog::EmbeddedFacts further_facts(const EmbeddedModel& further) {
  catalog::EmbeddedFacts facts = local::facts_of(*further.model);
  facts.id = further.options.name;
  facts.created = further.manifest.added;
  return facts;
}

}  // namespace

Runtime::Runtime(catalog::Config config, EmbeddedModels embedded, const gateway::Shared& lasting)
    : config_(std::move(config)),
      embedded_(std::move(embedded)),
      shared_(lasting),
      alive_(lasting.metrics->gauge(
          "embedrouter_configurations",
          "Configurations in use: the newest, and those requests under way began with")) {
  shared_.limits = config_.limits;
  shared_.cors_origins = config_.server.cors_origins;
  alive_.Increment();
}

Runtime::~Runtime() {
  alive_.Decrement();
}

Result<std::shared_ptr<const Runtime>> Runtime::make(catalog::Config config, EmbeddedModels embedded,
                                                     const gateway::Shared& lasting,
                                                     providers::KeyPools& key_pools) {
  auto runtime = std::make_shared<Runtime>(std::move(config), std::move(embedded), lasting);
  std::optional<catalog::EmbeddedFacts> standing;
  std::vector<catalog::EmbeddedFacts> further;
  if (runtime->embedded_.standing) standing = local::facts_of(*runtime->embedded_.standing->model);
  for (const auto& model : runtime->embedded_.on_demand) further.push_back(further_facts(*model));
  auto catalog = catalog::Catalog::build(runtime->config_, standing ? &*standing : nullptr, further);
  if (!catalog) return fail(std::move(catalog).error());
  runtime->shared_.catalog = *std::move(catalog);
  for (const catalog::ProviderConfig& provider : runtime->config_.providers) {
    if (auto added = runtime->add_upstream(provider, key_pools); !added)
      return fail(std::move(added).error());
  }
  return std::shared_ptr<const Runtime>(std::move(runtime));
}

inference::LocalModel& Runtime::model_of(const catalog::Endpoint& endpoint) const {
  for (const auto& further : embedded_.on_demand) {
    if (further->options.name == endpoint.model->id) return *further->model;
  }
  return *embedded_.standing->model;
}

Result<void> Runtime::add_upstream(const catalog::ProviderConfig& provider, providers::KeyPools& key_pools) {
  Upstream upstream;
  upstream.dialect = providers::find_dialect(provider.dialect);
  if (upstream.dialect == nullptr) {
    return fail(ErrorCode::internal,
                "provider \"" + provider.slug + "\": no dialect \"" + provider.dialect + "\" here");
  }
  auto url = net::Url::parse(provider.base_url);
  if (!url) return fail(std::move(url).error());
  auto client = upstream_options(provider, *url);
  if (!client) return fail(std::move(client).error());
  auto keys = keys_of(provider);
  if (!keys) return fail(std::move(keys).error());
  upstream.remote.base_path = url->path;
  upstream.remote.keys = key_pools.make(provider.slug, *std::move(keys), *shared_.clock, *shared_.log);
  upstream.remote.policy_fallback = provider.policy_fallback;
  upstream.url = *std::move(url);
  upstream.client = *std::move(client);
  upstream.max_concurrency = provider.max_concurrency;
  upstreams_.emplace(provider.slug, std::move(upstream));
  return {};
}

void Runtime::set_places() const {
  for (const catalog::Model* model : catalog().listed()) {
    for (const catalog::Endpoint& endpoint : model->endpoints) {
      // The queue of the embedded model is its bound.
      const std::uint32_t places = endpoint.embedded ? embed::Places::kUnlimited
                                                     : upstreams_.at(endpoint.provider_slug).max_concurrency;
      shared_.endpoints->of(endpoint.id).places.set_limit(places);
    }
  }
}

Result<std::shared_ptr<Runtime::Thread>> Runtime::make_probing_thread(asio::io_context& io) const {
  return std::shared_ptr<Thread>(new Thread(shared_from_this(), io));
}

Result<std::vector<routing::Prober::Member>> Runtime::Thread::make_members() {
  std::vector<routing::Prober::Member> members;
  for (const catalog::Model* model : runtime_->catalog().listed()) {
    for (const catalog::Endpoint& endpoint : model->endpoints) {
      auto embedder = make_embedder(endpoint);
      if (!embedder) return fail(std::move(embedder).error());
      members.push_back({&endpoint, *std::move(embedder), &runtime_->shared_.endpoints->of(endpoint.id)});
    }
  }
  return members;
}

Result<std::shared_ptr<Runtime::Thread>> Runtime::make_thread(asio::io_context& io, Random& random,
                                                              std::shared_ptr<Probes> probes) const {
  std::shared_ptr<Thread> thread(new Thread(shared_from_this(), io));
  thread->probes_ = std::move(probes);
  std::vector<routing::Route> routes;
  for (const catalog::Model* model : catalog().listed()) {
    for (const catalog::Endpoint& endpoint : model->endpoints) {
      auto embedder = thread->make_embedder(endpoint);
      if (!embedder) return fail(std::move(embedder).error());
      routing::EndpointState& state = shared_.endpoints->of(endpoint.id);
      if (thread->probes_)
        *embedder = thread->probes_->guard(*std::move(embedder), endpoint, state, io.get_executor());
      routes.push_back({&endpoint, *std::move(embedder), &state});
      if (!endpoint.embedded || model->id != embedded_.standing->options.name) continue;
      thread->embedded_ = std::make_unique<providers::Local>(endpoint, *embedded_.standing->model, io);
      thread->embedded_contract_ = {model->dimensions, endpoint.normalized, false};
    }
  }
  thread->selector_ = std::make_unique<routing::Selector>(catalog(), std::move(routes), *shared_.clock);
  thread->router_ =
      std::make_unique<routing::Router>(*thread->selector_, *shared_.clock, random,
                                        health_listener(*shared_.clock, *shared_.log, *shared_.metrics));
  thread->gateway_ =
      std::make_unique<gateway::Gateway>(shared_, *thread->router_, *thread->selector_, random);
  return thread;
}

std::chrono::nanoseconds Runtime::Thread::embedded_busy() const {
  return runtime_->embedded_.standing->model->load_now().busy;
}

// What an endpoint is made of, from the outside in: split, attempt (with its gate), and who makes the
// vectors.
Result<std::unique_ptr<embed::Embedder>> Runtime::Thread::make_embedder(const catalog::Endpoint& endpoint) {
  const gateway::Shared& shared = runtime_->shared_;
  std::unique_ptr<embed::Embedder> inner;
  embed::AttemptOptions options;
  options.endpoint = endpoint.id;
  options.provider = endpoint.provider_name;
  options.contract = {endpoint.model->dimensions, endpoint.normalized, !endpoint.embedded};
  routing::EndpointState& state = shared.endpoints->of(endpoint.id);
  if (endpoint.embedded) {
    inner = std::make_unique<providers::Local>(endpoint, runtime_->model_of(endpoint), io_);
  } else {
    const Upstream& upstream = runtime_->upstreams_.at(endpoint.provider_slug);
    auto remote = make_remote(endpoint, upstream);
    if (!remote) return remote;
    inner = *std::move(remote);
  }
  auto attempt = std::make_unique<embed::Attempt>(std::move(inner), std::move(options), state.statistics,
                                                  *shared.clock, *shared.metrics);
  const embed::BatchLimits limits{endpoint.max_batch_items, endpoint.max_batch_tokens,
                                  endpoint.max_batch_bytes};
  return std::make_unique<embed::Split>(std::move(attempt), endpoint.provider_name, limits, state.places,
                                        state.learned, *shared.clock);
}

Result<std::unique_ptr<embed::Embedder>> Runtime::Thread::make_remote(const catalog::Endpoint& endpoint,
                                                                      const Upstream& upstream) {
  std::unique_ptr<net::Client>& client = clients_[endpoint.provider_slug];
  if (client == nullptr) {
    auto made = net::Client::make(io_, upstream.url, upstream.client);
    if (!made) return fail(std::move(made).error());
    client = *std::move(made);
  }
  return std::make_unique<providers::Remote>(endpoint, *upstream.dialect, *client, upstream.remote,
                                             *runtime_->shared_.clock);
}

Task<net::Response> Front::handle(net::Exchange& exchange) {
  const std::shared_ptr<Runtime::Thread> mine = current_;
  net::Response response = co_await mine->gateway().handle(exchange);
  co_return response;
}

}  // namespace embedrouter::apps
