#include "apps/probes.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

namespace embedrouter::apps {
namespace {

using routing::Verdict;

constexpr std::chrono::milliseconds kLook{250};

double number_of(Verdict verdict) {
  return static_cast<double>(verdict);
}

}  // namespace

Probes::Probes(const std::shared_ptr<const Runtime>& runtime, const gateway::Shared& lasting)
    : lasting_(lasting), runtime_(runtime), ledger_(runtime->config(), *lasting.clock, *lasting.log) {}

Result<std::unique_ptr<Probes>> Probes::start(const std::shared_ptr<const Runtime>& runtime,
                                              const gateway::Shared& lasting) {
  std::unique_ptr<Probes> probes;
  if (runtime->config().probe.enabled) {
    probes.reset(new Probes(runtime, lasting));
    if (auto begun = probes->begin(); !begun) return fail(std::move(begun).error());
    return probes;
  }
  for (const catalog::Model* model : runtime->catalog().listed()) {
    for (const catalog::Endpoint& endpoint : model->endpoints)
      lasting.endpoints->of(endpoint.id).space.enter({}, 0);
  }
  return probes;
}

Result<void> Probes::begin() {
  auto part = runtime_->make_probing_thread(io_);
  if (!part) return fail(std::move(part).error());
  part_ = *std::move(part);
  auto members = part_->make_members();
  if (!members) return fail(std::move(members).error());
  for (const routing::Prober::Member& member : *members) {
    const Labels labels{{"endpoint", member.endpoint->id}};
    const auto outcome = [&](const char* word) {
      return &lasting_.metrics->counter("embedrouter_canaries_total", "Probes of an endpoint by outcome",
                                        {{"endpoint", member.endpoint->id}, {"outcome", word}});
    };
    Metrics& metrics = *lasting_.metrics;
    meters_[member.endpoint] = {
        &metrics.gauge("embedrouter_endpoint_space_state",
                       "0: not measured, 1: agreeing, 2: held out, 3: quarantined", labels),
        &metrics.gauge("embedrouter_canary_cosine",
                       "Least cosine of the last probe with what it was held against", labels),
        outcome("ok"), outcome("error"),
        &metrics.counter("embedrouter_endpoint_drifts_total", "Times an endpoint was quarantined", labels)};
  }
  const catalog::Config::Probe& probe = runtime_->config().probe;
  prober_ = std::make_unique<routing::Prober>(
      *std::move(members), ledger_, *lasting_.clock,
      routing::ProberOptions{.interval = probe.interval, .threshold = probe.threshold},
      [this](Task<void> task) { spawn(std::move(task)); },
      [this](const routing::SpaceEvent& event) { tell(event); });
  for (const auto& [endpoint, meters] : meters_)
    meters.state->Set(number_of(lasting_.endpoints->of(endpoint->id).space.verdict()));
  asio::post(io_, [this] { spawn(watch()); });
  thread_ = std::thread([this] { io_.run(); });
  return {};
}

Probes::~Probes() {
  stop();
}

void Probes::stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    stopping_ = true;
    prober_->stop();
    for (auto next = running_.begin(); next != running_.end();)
      (next++)->emit(asio::cancellation_type::terminal);
    end_if_idle();
  });
  thread_.join();
}

std::unique_ptr<embed::Embedder> Probes::guard(std::unique_ptr<embed::Embedder> inner,
                                               const catalog::Endpoint& endpoint,
                                               routing::EndpointState& state, Executor executor) {
  return std::make_unique<routing::SpaceGuard>(std::move(inner), endpoint, state, *prober_,
                                               std::move(executor), io_.get_executor());
}

Task<void> Probes::watch() {
  const auto executor = co_await asio::this_coro::executor;
  Timer timer(executor);
  for (;;) {
    prober_->look();
    timer.expires_after(kLook);
    co_await timer.async_wait(kAwait);
  }
}

void Probes::spawn(Task<void> task) {
  if (stopping_) return;
  const auto signal = running_.emplace(running_.end());
  const auto over = [this, signal](const std::exception_ptr& failure) {
    running_.erase(signal);
    if (failure && !stopping_) std::rethrow_exception(failure);
    end_if_idle();
  };
  asio::co_spawn(io_, std::move(task), asio::bind_cancellation_slot(signal->slot(), over));
}

// What is left on the thread then is idle connections to upstreams, which nobody waits for.
void Probes::end_if_idle() {
  if (stopping_ && running_.empty()) io_.stop();
}

void Probes::tell(const routing::SpaceEvent& event) {
  const Meters& meters = meters_.at(event.endpoint);
  meters.state->Set(number_of(event.to));
  if (event.error != nullptr) {
    meters.failed->Increment();
    lasting_.log->debug("canary",
                        {{"endpoint", event.endpoint->id}, {"code", traits(event.error->code()).name}});
    return;
  }
  if (event.against != "the operator") {
    meters.answered->Increment();
    meters.cosine->Set(event.likeness.cosine);
  }
  if (event.from == event.to) return;
  if (event.to == Verdict::quarantined) meters.drifts->Increment();
  const bool bad = event.to == Verdict::held_out || event.to == Verdict::quarantined;
  lasting_.log->write(bad ? LogLevel::warn : LogLevel::info, "space",
                      {{"endpoint", event.endpoint->id},
                       {"space", event.endpoint->space},
                       {"from", routing::name_of(event.from)},
                       {"to", routing::name_of(event.to)},
                       {"against", event.against},
                       {"cosine", event.likeness.cosine},
                       {"canary", event.likeness.canary}});
}

}  // namespace embedrouter::apps
