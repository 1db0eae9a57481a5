#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace embedrouter::api {

enum class Sort : std::uint8_t { none, price, throughput, latency };

// At most / at least so much at a percentile. A plain number in the request is p50.
struct Percentiles {
  std::optional<double> p50, p75, p90, p99;
};

// The `provider` object (CONTRACT 6.3). Absent and null members are the defaults below. Views into the
// request.
struct ProviderPreferences {
  std::vector<std::string_view> order, only, ignore;  // slugs or display names
  bool has_order = false;                             // it names somebody
  bool has_only = false;  // an empty `only` leaves nothing; absent leaves everything
  bool allow_fallbacks = true;
  bool require_parameters = false;
  bool deny_data_collection = false;
  bool zdr = false;
  bool enforce_distillable_text = false;
  std::vector<std::string_view> quantizations;
  Sort sort = Sort::none;
  // USD: prompt and completion per million tokens, the others per unit. Strings and numbers are accepted.
  struct MaxPrice {
    std::optional<double> prompt, completion, request, image, audio;
  } max_price;
  Percentiles preferred_min_throughput;  // tokens per second
  Percentiles preferred_max_latency;     // seconds
  // `options` by provider slug, for the serving provider alone. `members`: the JSON text of each entry
  // between its braces, trimmed; its names are plain, each there once, and none is a member that the router
  // decides.
  struct Option {
    std::string_view slug, members;
  };
  std::vector<Option> options;
};

}  // namespace embedrouter::api
