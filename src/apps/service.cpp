#include "apps/service.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "apps/health_watch.h"
#include "apps/upstream_options.h"
#include "embed/attempt.h"
#include "embed/split.h"
#include "providers/dialect.h"
#include "providers/local.h"
#include "providers/remote.h"

namespace embedrouter::apps {
namespace {

unsigned io_threads(unsigned configured) {
  if (configured != 0) return configured;
  return std::max(1U, std::thread::hardware_concurrency() / 2);
}

// "127.0.0.1:8080" with the port that was really taken.
std::string authority_of(const std::string& listen, std::uint16_t port) {
  return listen.substr(0, listen.rfind(':')) + ':' + std::to_string(port);
}

}  // namespace

inference::ModelOptions model_options(const catalog::Config& config) {
  inference::ModelOptions options;
  options.folder = config.embedded.model_dir;
  if (config.embedded.precision == "fp32") options.precision = inference::Precision::fp32;
  if (config.embedded.precision == "bf16") options.precision = inference::Precision::bf16;
  options.threads = config.embedded.threads;
  options.max_tokens = config.embedded.max_tokens;
  options.queue_tokens = config.embedded.queue_tokens;
  return options;
}

Result<std::string> provider_key(const catalog::ProviderConfig& provider) {
  std::string key;
  std::string source;
  if (!provider.api_key_env.empty()) {
    source = "the environment variable " + provider.api_key_env;
    if (const char* value = std::getenv(provider.api_key_env.c_str()); value != nullptr) key = value;
  } else if (!provider.api_key_file.empty()) {
    source = "the file " + provider.api_key_file;
    std::ifstream file(provider.api_key_file);
    std::getline(file, key);
  } else {
    return key;
  }
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ' || key.back() == '\t')) key.pop_back();
  const bool printable = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
  if (key.empty() || !printable) {
    return fail(ErrorCode::internal, "provider \"" + provider.slug + "\": " + source + " holds no key");
  }
  return key;
}

Result<std::unique_ptr<Service>> Service::start(const catalog::Config& config, Log& log) {
  std::unique_ptr<Service> service(new Service(config, log));
  if (auto opened = service->open_keys(); !opened) return fail(std::move(opened).error());
  if (auto loaded = service->load_model(); !loaded) return fail(std::move(loaded).error());
  if (auto exporting = service->start_export(); !exporting) return fail(std::move(exporting).error());
  if (auto listening = service->listen(); !listening) return fail(std::move(listening).error());
  service->watch_gauges();
  return service;
}

Service::Service(const catalog::Config& config, Log& log)
    : config_(config), log_(log), in_flight_(config.limits.bytes_in_flight) {}

Service::~Service() {
  for (const auto& worker : workers_) {
    worker->io.stop();
    if (worker->thread.joinable()) worker->thread.join();
  }
  server_.reset();  // before the io_contexts its connections are on
  model_.reset();   // and its threads, which answer to them
}

Result<void> Service::open_keys() {
  if (config_.server.auth == catalog::Auth::none) return {};
  auto keys = ledger::KeyRing::watch(catalog::database_path(config_));
  if (!keys) return fail(std::move(keys).error());
  keys_ = *std::move(keys);
  return {};
}

Result<void> Service::load_model() {
  catalog::EmbeddedFacts facts;
  if (config_.embedded.enabled) {
    auto model = inference::LocalModel::load(model_options(config_));
    if (!model) return fail(std::move(model).error());
    model_ = *std::move(model);
    const inference::ModelFacts& loaded = model_->facts();
    facts = {loaded.width, loaded.max_tokens, loaded.precision, loaded.space};
  }
  auto catalog = catalog::Catalog::build(config_, config_.embedded.enabled ? &facts : nullptr);
  if (!catalog) return fail(std::move(catalog).error());
  catalog_ = *std::move(catalog);
  return {};
}

Result<void> Service::listen() {
  net::ServerLimits limits;
  limits.header_bytes = config_.limits.header_bytes;
  limits.idle_timeout = config_.limits.idle_timeout;
  // A request arrives within the time it has; its head, which is short, without a pause that long.
  limits.header_timeout =
      std::min({limits.header_timeout, config_.limits.idle_timeout, config_.limits.total_timeout});
  limits.body_timeout = std::min(limits.body_timeout, config_.limits.total_timeout);
  auto server = net::Server::listen(config_.server.listen, limits,
                                    {config_.server.tls_cert_file, config_.server.tls_key_file});
  if (!server) return fail(std::move(server).error());
  server_ = *std::move(server);

  shared_.catalog = catalog_;
  shared_.keys = keys_.get();
  shared_.limits = config_.limits;
  shared_.clock = &clock_;
  shared_.log = &log_;
  shared_.metrics = &metrics_;
  shared_.in_flight = &in_flight_;
  shared_.cors_origins = config_.server.cors_origins;
  shared_.spans = exporter_.get();
  shared_.endpoints = &endpoints_;
  shared_.usage = &usage_;
  shared_.authority = authority_of(config_.server.listen, server_->port());
  const std::size_t threads = io_threads(config_.server.threads);
  readiness_ = std::make_unique<gateway::Readiness>(clock_, config_.server.readyz_interval, threads);
  shared_.readiness = readiness_.get();
  for (std::size_t i = 0; i < threads; ++i) {
    auto worker = make_worker(i);
    if (!worker) return fail(std::move(worker).error());
    workers_.push_back(*std::move(worker));
    server_->serve(workers_.back()->io, *workers_.back()->gateway);
  }
  return {};
}

Result<void> Service::start_export() {
  if (config_.telemetry.otlp_url.empty()) return {};
  telemetry::ExporterOptions options;
  options.url = config_.telemetry.otlp_url;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  options.resource = {{"service.name", "embedrouter"},
                      {"service.version", EMBEDROUTER_VERSION},
                      {"service.instance.id", Random(secure_seed()).alphanumeric(20)},
                      {"host.name", std::string(host.data())},
                      {"process.pid", std::int64_t{getpid()}}};
  auto exporter = telemetry::Exporter::start(std::move(options), metrics_, log_);
  if (!exporter) return fail(std::move(exporter).error());
  exporter_ = *std::move(exporter);
  return {};
}

std::unique_ptr<gateway::Probe> Service::make_probe(std::size_t index, Worker& worker) {
  std::unique_ptr<embed::Embedder> model;
  embed::VectorContract contract;
  for (const catalog::Model* listed : catalog_->listed()) {
    for (const catalog::Endpoint& endpoint : listed->endpoints) {
      if (!endpoint.embedded) continue;
      model = std::make_unique<providers::Local>(endpoint, *model_, worker.io);
      contract = {listed->dimensions, endpoint.normalized, false};
    }
  }
  return std::make_unique<gateway::Probe>(*readiness_, index, std::move(model), contract);
}

Result<std::unique_ptr<Service::Worker>> Service::make_worker(std::size_t index) {
  auto worker = std::make_unique<Worker>(secure_seed());
  std::vector<routing::Route> routes;
  for (const catalog::Model* model : catalog_->listed()) {
    for (const catalog::Endpoint& endpoint : model->endpoints) {
      auto embedder = make_embedder(endpoint, *worker);
      if (!embedder) return fail(std::move(embedder).error());
      routes.push_back({&endpoint, *std::move(embedder), &endpoints_.of(endpoint.id)});
    }
  }
  worker->selector = std::make_unique<routing::Selector>(*catalog_, std::move(routes), clock_);
  worker->router = std::make_unique<routing::Router>(*worker->selector, clock_, worker->random,
                                                       health_listener(clock_, log_, metrics_));
  worker->gateway = std::make_unique<gateway::Gateway>(shared_, *worker->router, *worker->selector, worker->random);
  worker->probe = make_probe(index, *worker);
  asio::co_spawn(worker->io, worker->probe->run(), asio::detached);
  return worker;
}

// What an endpoint is made of, from the outside in: split, attempt (with its gate), and who makes the
// vectors.
Result<std::unique_ptr<embed::Embedder>> Service::make_embedder(const catalog::Endpoint& endpoint,
                                                                Worker& worker) {
  std::unique_ptr<embed::Embedder> inner;
  embed::AttemptOptions options;
  options.endpoint = endpoint.id;
  options.provider = endpoint.provider_name;
  options.contract = {endpoint.model->dimensions, endpoint.normalized, !endpoint.embedded};
  if (endpoint.embedded) {
    options.max_concurrency = std::numeric_limits<std::uint32_t>::max();  // the model's queue is the bound
    inner = std::make_unique<providers::Local>(endpoint, *model_, worker.io);
  } else {
    auto remote = make_remote(endpoint, worker);
    if (!remote) return remote;
    inner = *std::move(remote);
    const auto provider =
        std::ranges::find(config_.providers, endpoint.provider_slug, &catalog::ProviderConfig::slug);
    options.max_concurrency = provider->max_concurrency;
  }
  auto attempt = std::make_unique<embed::Attempt>(std::move(inner), std::move(options),
                                                  endpoints_.of(endpoint.id).statistics, clock_, metrics_);
  const embed::BatchLimits limits{endpoint.max_batch_items, endpoint.max_batch_tokens};
  return std::make_unique<embed::Split>(std::move(attempt), limits);
}

Result<std::unique_ptr<embed::Embedder>> Service::make_remote(const catalog::Endpoint& endpoint,
                                                              Worker& worker) {
  const auto provider =
      std::ranges::find(config_.providers, endpoint.provider_slug, &catalog::ProviderConfig::slug);
  const providers::Dialect* dialect = providers::find_dialect(provider->dialect);
  if (dialect == nullptr) {
    return fail(ErrorCode::internal,
                "provider \"" + provider->slug + "\": no dialect \"" + provider->dialect + "\" here");
  }
  auto url = net::Url::parse(provider->base_url);
  if (!url) return fail(std::move(url).error());
  providers::RemoteOptions options;
  options.base_path = url->path;
  auto key = provider_key(*provider);
  if (!key) return fail(std::move(key).error());
  if (!key->empty()) options.authorization = "Bearer " + *key;

  std::unique_ptr<net::Client>& client = worker.clients[provider->slug];
  if (client == nullptr) {
    auto client_options = upstream_options(*provider, *url);
    if (!client_options) return fail(std::move(client_options).error());
    auto made = net::Client::make(worker.io, *std::move(url), *client_options);
    if (!made) return fail(std::move(made).error());
    client = *std::move(made);
  }
  return std::make_unique<providers::Remote>(endpoint, *dialect, *client, std::move(options), clock_);
}

void Service::run() {
  for (const auto& worker : workers_) {
    worker->thread = std::thread([&io = worker->io] { io.run(); });
  }
  for (const auto& worker : workers_) worker->thread.join();
}

void Service::drain(std::chrono::milliseconds grace) {
  constexpr std::chrono::milliseconds kLook{10};
  readiness_->drain();
  server_->drain(grace);
  // What is left on the I/O threads then is idle connections to upstreams, which nobody waits for.
  for (auto left = grace + std::chrono::seconds(1); !server_->drained() && left > left.zero();
       left -= kLook) {
    std::this_thread::sleep_for(kLook);
  }
  for (const auto& worker : workers_) worker->io.stop();
}

}  // namespace embedrouter::apps
