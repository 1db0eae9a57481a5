#pragma once
// The lists of endpoints and providers (CONTRACT 5.2).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::api {

struct ListedModel;

struct MeasuredPercentiles {
  double p50 = 0, p75 = 0, p90 = 0, p99 = 0;
};

// What the statistics say of an endpoint. Nullopt where nothing was measured.
struct MeasuredEndpoint {
  std::optional<double> uptime_5m, uptime_30m, uptime_1d;     // percent
  std::optional<MeasuredPercentiles> latency_ms, throughput;  // of the last 30 minutes; tokens per second
  std::uint64_t answers = 0;                                  // in the last 30 minutes
  bool with_latency = false;                                  // latency is shown to callers with a key alone
};

struct ListedEndpoint {
  std::string_view provider, provider_slug, price_prompt, space, quantization;
  std::string_view tier = {};         // "priority"; empty: none
  std::uint32_t max_batch_items = 0;  // 0: no declared limit
  bool normalized = true, token_ids = false, zdr = false;
  int status = 0;  // 0: nothing is known against it; negative: docs/health.md
  MeasuredEndpoint measured = {};
};

struct ListedProvider {
  std::string_view name, slug;
  std::string_view privacy_policy_url = {}, terms_of_service_url = {}, status_page_url = {};  // may be empty
};

// {"data":{id, name, created, description, architecture, endpoints[]}}
std::string encode_model_endpoints(const ListedModel& model);
// {"data":[endpoint…]}: those of `models` that keep nothing.
std::string encode_zdr_endpoints(std::span<const ListedModel> models);
std::string encode_providers(std::span<const ListedProvider> providers);

}  // namespace embedrouter::api
