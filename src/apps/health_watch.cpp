#include "apps/health_watch.h"

#include <fmt/chrono.h>

#include <string>

namespace embedrouter::apps {
namespace {

using routing::Health;

std::string utc(Clock::Wall time) {
  return fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::ceil<std::chrono::seconds>(time))));
}

Counter& changes(Metrics& metrics, const std::string& endpoint, Health::State to) {
  return metrics.counter("embedrouter_endpoint_state_changes_total",
                         "Times an endpoint was ejected (to=open) and came back (to=closed)",
                         {{"endpoint", endpoint}, {"to", std::string(name_of(to))}});
}

}  // namespace

routing::HealthListener health_listener(const Clock& clock, Log& log, Metrics& metrics) {
  return [&](const catalog::Endpoint& endpoint, const Health::Change& change, const Error* cause) {
    changes(metrics, endpoint.id, change.to).Increment();
    if (cause == nullptr) return log.info("endpoint_returned", {{"endpoint", endpoint.id}});
    log.warn("endpoint_ejected", {{"endpoint", endpoint.id},
                                  {"cause", traits(cause->code()).name},
                                  {"status", cause->upstream_status()},
                                  {"lasts_ms", change.lasts.count()},
                                  {"until", utc(clock.wall() + change.lasts)}});
  };
}

void watch_health(Metrics& metrics, routing::EndpointStates& states, const Clock& clock) {
  metrics.before_render([&] {
    states.for_each([&](const std::string& endpoint, const routing::EndpointState& state) {
      metrics
          .gauge("embedrouter_endpoint_state", "0 closed: asked as usual, 1 half open, 2 open: ejected",
                 {{"endpoint", endpoint}})
          .Set(static_cast<double>(state.health.snapshot(clock.now()).state));
      if (const std::uint32_t limit = state.places.limit(); limit != embed::Places::kUnlimited) {
        metrics
            .gauge("embedrouter_endpoint_concurrency_limit",
                   "Calls it is given at a time: max_concurrency, or fewer since it answered 429",
                   {{"endpoint", endpoint}})
            .Set(limit);
      }
      for (const auto to : {Health::State::open, Health::State::closed}) changes(metrics, endpoint, to);
    });
  });
}

}  // namespace embedrouter::apps
