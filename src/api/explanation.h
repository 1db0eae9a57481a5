#pragma once
// POST /embeddings/explain: where a request would go and why (docs/health.md).

#include <embedrouter/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::api {

// One endpoint of the model under one request. The views are of the catalog.
struct ExplainedEndpoint {
  std::string_view id, provider, provider_slug, space, price_prompt;
  std::string dropped_by;              // "provider.only", "space", "health", …; empty: it may answer
  std::string why;                     // the same for people; may be empty
  std::optional<std::uint32_t> place;  // in the order they are tried in, from 1; nullopt: dropped
  std::optional<double> share;         // of such requests that begin here, 0 to 1; nullopt: dropped
  std::string_view state, standing;    // of its health, by name
  std::optional<double> seconds_left;  // of an ejection or a cool-down
  std::uint64_t successes = 0, failures = 0, rate_limited = 0;  // of the last 5 minutes
  std::optional<double> latency_ms;                             // median of the same
  std::uint32_t max_batch_items = 0, max_batch_tokens = 0;      // 0: no declared limit
  std::uint32_t calls = 0;  // the whole request would take from this endpoint
};

struct Explanation {
  std::string_view model, requested;  // canonical id; as the caller named it
  std::string_view strategy;          // what orders the endpoints
  bool fallbacks = true;              // false: only the endpoint that comes first is asked
  std::uint32_t items = 0;
  std::optional<Error> fault;                // what the request would fail with before any call
  std::vector<ExplainedEndpoint> endpoints;  // by place, then those dropped
};

// {"data":{model, requested, strategy, fallbacks, space, items, fault, endpoints[]}}
std::string encode_explanation(const Explanation& explanation);

// What a person reads of it; numbers as they stand in the text, empty for null.
struct ExplanationRow {
  std::string id, place, share, dropped_by, why, state, standing, seconds_left, failures, rate_limited,
      latency_ms, price, calls;
};
struct ExplanationSummary {
  std::string model, strategy, space, items, fault;
  std::vector<ExplanationRow> rows;
};
// From a router's answer. Fails with `upstream_invalid_answer` on what is none.
Result<ExplanationSummary> decode_explanation(std::string_view body);

}  // namespace embedrouter::api
