#include "apps/service.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <utility>

#include "inference/usable_cpus.h"

namespace embedrouter::apps {
namespace {

unsigned io_threads(unsigned configured) {
  if (configured != 0) return configured;
  return std::max(1U, inference::usable_cpus() / 2);
}

// "127.0.0.1:8080" with the port that was really taken.
std::string authority_of(const std::string& listen, std::uint16_t port) {
  return listen.substr(0, listen.rfind(':')) + ':' + std::to_string(port);
}

}  // namespace

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  if (name == "off") return LogLevel::off;
  return LogLevel::info;
}

net::ServerLimits server_limits(const catalog::Config::Limits& configured) {
  net::ServerLimits limits;
  limits.header_bytes = configured.header_bytes;
  limits.idle_timeout = configured.idle_timeout;
  // A request arrives within the time it has; its head, which is short, without a pause that long.
  limits.header_timeout =
      std::min({limits.header_timeout, configured.idle_timeout, configured.total_timeout});
  limits.body_timeout = std::min(limits.body_timeout, configured.total_timeout);
  return limits;
}

net::ServerTls server_tls(const catalog::Config::Server& configured) {
  return {configured.tls_cert_file, configured.tls_key_file};
}

Result<std::unique_ptr<Service>> Service::start(const catalog::Config& config, Log& log) {
  std::unique_ptr<Service> service(new Service(config, log));
  if (auto opened = service->open_keys(config); !opened) return fail(std::move(opened).error());
  if (auto exporting = service->start_export(config); !exporting) return fail(std::move(exporting).error());
  if (auto listening = service->listen(config); !listening) return fail(std::move(listening).error());
  if (auto begun = service->begin(config); !begun) return fail(std::move(begun).error());
  service->watch_gauges();
  service->watch_reloads();
  return service;
}

Service::Service(const catalog::Config& config, Log& log)
    : log_(log),
      in_flight_(config.limits.bytes_in_flight),
      pool_(clock_, pool_options(config.embedded), [this](const auto& event) { note(event); }),
      readiness_(clock_, config.server.readyz_interval, io_threads(config.server.threads)) {}

Service::~Service() {
  ending_ = true;
  finish_background();  // no reload is under way, and those that wait will see that it is over
  for (const auto& worker : workers_) {
    worker->io.stop();
    if (worker->thread.joinable()) worker->thread.join();
  }
  finish_background();
  for (const auto& probes : probes_) {
    if (const auto left = probes.lock()) left->stop();
  }
  server_.reset();  // before the io_contexts its connections are on
  // The models' threads answer to the io_contexts, so they end first, used or not.
  for (const auto& model : models_) {
    if (const auto left = model.lock()) left->model.reset();
  }
  for (const auto& worker : workers_) worker->front.drop();
  current_.reset();
  workers_.clear();
  background_.join();
}

void Service::finish_background() {
  std::promise<void> idle;
  asio::post(background_, [&idle] { idle.set_value(); });
  idle.get_future().wait();
}

Result<std::shared_ptr<Probes>> Service::start_probes(const std::shared_ptr<const Runtime>& runtime) {
  auto started = Probes::start(runtime, lasting_);
  if (!started) return fail(std::move(started).error());
  std::shared_ptr<Probes> probes;
  if (*started == nullptr) return probes;
  const auto end_in_background = [this](Probes* unused) {
    asio::post(background_, [unused] { const std::unique_ptr<Probes> owned(unused); });
  };
  probes = std::shared_ptr<Probes>(started->release(), end_in_background);
  std::erase_if(probes_, [](const std::weak_ptr<Probes>& old) { return old.expired(); });
  probes_.emplace_back(probes);
  return probes;
}

Result<void> Service::open_keys(const catalog::Config& config) {
  if (config.server.auth == catalog::Auth::none) return {};
  auto keys = ledger::KeyRing::watch(catalog::database_path(config));
  if (!keys) return fail(std::move(keys).error());
  keys_ = *std::move(keys);
  return {};
}

Result<void> Service::listen(const catalog::Config& config) {
  auto server =
      net::Server::listen(config.server.listen, server_limits(config.limits), server_tls(config.server));
  if (!server) return fail(std::move(server).error());
  server_ = *std::move(server);

  lasting_.keys = keys_.get();
  lasting_.clock = &clock_;
  lasting_.log = &log_;
  lasting_.metrics = &metrics_;
  lasting_.in_flight = &in_flight_;
  lasting_.spans = exporter_.get();
  lasting_.endpoints = &endpoints_;
  lasting_.usage = &usage_;
  lasting_.readiness = &readiness_;
  lasting_.authority = authority_of(config.server.listen, server_->port());
  return {};
}

Result<void> Service::begin(const catalog::Config& config) {
  for (std::size_t i = 0; i < io_threads(config.server.threads); ++i)
    workers_.push_back(std::make_unique<Worker>(readiness_, i));
  auto first = prepare(config);
  if (!first) return fail(std::move(first).error());
  first->runtime->set_places();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    worker.adopt(first->parts[i]);
    asio::co_spawn(worker.io, worker.probe.run(), asio::detached);
    server_->serve(worker.io, worker.front);
  }
  current_ = std::move(first->runtime);
  return {};
}

Result<void> Service::start_export(const catalog::Config& config) {
  if (config.telemetry.otlp_url.empty()) return {};
  telemetry::ExporterOptions options;
  options.url = config.telemetry.otlp_url;
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

Result<Service::Generation> Service::prepare(catalog::Config config) {
  auto embedded = models_for(config);
  if (!embedded) return fail(std::move(embedded).error());
  Generation made;
  auto runtime = Runtime::make(std::move(config), *std::move(embedded), lasting_, key_pools_);
  if (!runtime) return fail(std::move(runtime).error());
  made.runtime = *std::move(runtime);
  auto probes = start_probes(made.runtime);
  if (!probes) return fail(std::move(probes).error());
  for (const auto& worker : workers_) {
    auto part = made.runtime->make_thread(worker->io, worker->random, *probes);
    if (!part) return fail(std::move(part).error());
    made.parts.push_back(*std::move(part));
  }
  return made;
}

std::shared_ptr<const Runtime> Service::current() const {
  const std::lock_guard lock(current_mutex_);
  return current_;
}

void Service::Worker::adopt(const std::shared_ptr<Runtime::Thread>& part) {
  front.adopt(part);
  // Owned through its generation, which so outlasts a test that is under way.
  probe.use(std::shared_ptr<embed::Embedder>(part, part->embedded()), part->embedded_contract(),
            [part] { return part->embedded_busy(); });
}

void Service::run() {
  for (const auto& worker : workers_) {
    worker->thread = std::thread([&io = worker->io] { io.run(); });
  }
  for (const auto& worker : workers_) worker->thread.join();
}

void Service::drain(std::chrono::milliseconds grace) {
  constexpr std::chrono::milliseconds kLook{10};
  ending_ = true;
  readiness_.drain();
  server_->drain(grace);
  // What is left on the I/O threads then is idle connections to upstreams, which nobody waits for.
  for (auto left = grace + std::chrono::seconds(1); !server_->drained() && left > left.zero();
       left -= kLook) {
    std::this_thread::sleep_for(kLook);
  }
  for (const auto& worker : workers_) worker->io.stop();
}

}  // namespace embedrouter::apps
