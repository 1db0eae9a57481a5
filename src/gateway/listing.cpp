// The catalog and the statistics as the lists of the API show them.

#include <algorithm>
#include <utility>

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
  api::ListedModel entry;
  entry.id = model.id;
  entry.name = model.name;
  entry.description = model.description;
  entry.tokenizer = model.tokenizer;
  entry.created = model.created;
  entry.context_length = model.context_length;
  entry.dimensions = model.dimensions;
  entry.matryoshka = model.matryoshka;
  entry.aliases = model.aliases;
  entry.normalized = model.normalized;
  entry.distillable = model.distillable;
  if (model.symmetric)
    entry.input_types = {"search_query", "search_document", "query", "document", "passage"};
  for (const catalog::Endpoint& endpoint : model.endpoints) {
    api::ListedEndpoint& shown = entry.endpoints.emplace_back();
    shown.provider = endpoint.provider_name;
    shown.provider_slug = endpoint.provider_slug;
    shown.tier = catalog::name_of(endpoint.tier);
    shown.price_prompt = endpoint.price_prompt;
    shown.space = endpoint.space;
    shown.quantization = endpoint.quantization;
    shown.max_batch_items = endpoint.max_batch_items;
    shown.normalized = endpoint.normalized;
    shown.token_ids = endpoint.token_ids;
    shown.zdr = endpoint.policy.zdr;
    if (measure != Measure::nothing) {
      const routing::EndpointState& state = shared_.endpoints->of(endpoint.id);
      shown.measured = measured(state.statistics, shared_.clock->now());
      shown.status = status_of(state.health.snapshot(shared_.clock->now()));
    }
    shown.measured.with_latency = measure == Measure::all;
    for (const std::string& type : endpoint.input_types) {
      if (std::ranges::find(entry.input_types, type) == entry.input_types.end())
        entry.input_types.emplace_back(type);
    }
  }
  // Of those that answer without being asked for by name, if there are any.
  const auto cheapest = std::ranges::min_element(model.endpoints, {}, [](const catalog::Endpoint& endpoint) {
    return std::pair(endpoint.tier != catalog::Tier::standard, endpoint.pico_usd_per_token);
  });
  if (cheapest != model.endpoints.end()) {
    entry.price_prompt = cheapest->price_prompt;
    entry.pico_usd_per_token = cheapest->pico_usd_per_token;
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
