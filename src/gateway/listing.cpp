// The catalog and the statistics as the lists of the API show them.

#include <utility>

#include "catalog/listed.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {
namespace {

using std::chrono::minutes;

constexpr minutes kTimes{30};

std::optional<api::MeasuredPercentiles> percentiles(const auto& at) {
  const auto middle = at(0.5);
  if (!middle) return std::nullopt;
  return api::MeasuredPercentiles{*middle, *at(0.75), *at(0.9), *at(0.99)};
}

api::MeasuredEndpoint measured(const embed::EndpointStatistics& statistics, Clock::Steady now) {
  constexpr double kMsPerSecond = 1e3;
  api::MeasuredEndpoint shown;
  shown.uptime_5m = statistics.uptime(now, minutes(5));
  shown.uptime_30m = statistics.uptime(now, minutes(30));
  shown.uptime_1d = statistics.uptime(now, embed::EndpointStatistics::kLongestCounts);
  shown.latency_ms = percentiles([&](double percentile) {
    auto seconds = statistics.latency_seconds(now, percentile, kTimes);
    if (seconds) *seconds *= kMsPerSecond;
    return seconds;
  });
  // At p90, 90 % of the answers are at least that fast, as in preferred_min_throughput.
  shown.throughput = percentiles(
      [&](double percentile) { return statistics.tokens_per_second(now, 1 - percentile, kTimes); });
  shown.answers = statistics.counts(now, kTimes).successes;
  return shown;
}

// CONTRACT 5.2 lists the numbers but not what they mean; docs/health.md says what they mean here.
int status_of(const routing::Health::Snapshot& health) {
  using enum routing::Health::State;
  if (health.state == open) return -5;
  if (health.state == half_open) return -3;
  if (health.standing == routing::Standing::cooling) return -2;
  return health.standing == routing::Standing::unsteady ? -1 : 0;
}

}  // namespace

std::int64_t Gateway::unix_now() const {
  return std::chrono::floor<std::chrono::seconds>(shared_.clock->wall().time_since_epoch()).count();
}

api::ListedModel Gateway::listed(const catalog::Model& model, Measure measure) const {
  api::ListedModel entry = catalog::listed(model);
  for (std::size_t i = 0; i < entry.endpoints.size(); ++i) {
    api::ListedEndpoint& shown = entry.endpoints[i];
    if (measure != Measure::nothing) {
      const routing::EndpointState& state = shared_.endpoints->of(model.endpoints[i].id);
      shown.measured = measured(state.statistics, shared_.clock->now());
      shown.status = status_of(state.health.snapshot(shared_.clock->now()));
    }
    shown.measured.with_latency = measure == Measure::all;
  }
  return entry;
}

Gateway::Measure Gateway::measure_for(const Query& query) const {
  return query.key != nullptr || shared_.keys == nullptr ? Measure::all : Measure::without_latency;
}

std::vector<api::ListedModel> Gateway::all_listed(Measure measure) const {
  std::vector<api::ListedModel> models;
  for (const catalog::Model* model : shared_.catalog->listed()) models.push_back(listed(*model, measure));
  return models;
}

}  // namespace embedrouter::gateway
