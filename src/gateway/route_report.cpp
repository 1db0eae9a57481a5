#include "gateway/route_report.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "api/json_members.h"
#include "base/ascii.h"
#include "routing/router.h"

namespace embedrouter::gateway {
namespace {

namespace members = api::members;

constexpr std::string_view kDocs = "/api/v1/openapi.json";

// The member of the request that took an endpoint out, in the words of CONTRACT 3.4; empty where it has none.
std::string_view exclusion_word(std::string_view parameter) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kWords{
      {{"provider.zdr", "data_policy:zdr"},
       {"provider.data_collection", "data_policy:training"},
       {"provider.max_price", "max_price"},
       {"provider.quantizations", "quantization"},
       {"provider.only", "allowed_providers"},
       {"provider.ignore", "allowed_providers"},
       {"provider.order", "allowed_providers"},
       {"service_tier", "allowed_providers"},
       {"provider.require_parameters", "require_parameters"},
       {"provider.enforce_distillable_text", "require_parameters"},
       {"dimensions", "require_parameters"},
       {"input_type", "require_parameters"},
       {"truncate", "require_parameters"},
       {"provider.options", "require_parameters"}}};
  const auto* const found = std::ranges::find(kWords, parameter, &decltype(kWords)::value_type::first);
  return found == kWords.end() ? std::string_view() : found->second;
}

template <class T>
void add_distinct(std::vector<std::string_view>& values, const T& value) {
  if (!value.empty() && std::ranges::find(values, value) == values.end()) values.emplace_back(value);
}

struct Verdict {
  std::string_view code;
  bool retryable = false;
};

bool every_attempt_is(const embed::Call& call, ErrorCode code) {
  return !call.attempts.empty() &&
         std::ranges::all_of(call.attempts, [&](const auto& attempt) { return attempt.code == code; });
}

Verdict excluded_verdict(const embed::Call& call) {
  if (call.candidates.empty()) return {"no_endpoints"};
  const bool privacy = std::ranges::all_of(call.candidates, [](const embed::CandidateRecord& candidate) {
    return exclusion_word(candidate.excluded_by).starts_with("data_policy:");
  });
  return {privacy ? "privacy_restricted" : "constraint_filtered"};
}

// What a failure says of who could answer; no code where it is about something else.
Verdict verdict(const Error& error, const embed::Call& call) {
  switch (error.code()) {
    case ErrorCode::model_not_found:
      return {"model_not_found"};
    case ErrorCode::no_endpoint:
      return excluded_verdict(call);
    case ErrorCode::overloaded:
    case ErrorCode::no_equivalent_upstream:
    case ErrorCode::upstreams_failed:
      return {"temporarily_unavailable", true};
    case ErrorCode::upstream_unauthorized:
    case ErrorCode::upstream_forbidden:
    case ErrorCode::upstream_policy:
    case ErrorCode::upstream_quota:
      return {};  // for the operator to mend
    default:
      break;
  }
  if (every_attempt_is(call, ErrorCode::upstream_rate_limited)) return {"capacity_exhausted", true};
  if (every_attempt_is(call, ErrorCode::model_unavailable)) return {"model_unavailable_upstream"};
  if (traits(error.code()).fall_back && !call.attempts.empty()) return {"temporarily_unavailable", true};
  return {};
}

}  // namespace

bool wants_metadata(const net::Headers& headers) {
  return std::ranges::any_of(
      std::array<std::string_view, 2>{"x-openrouter-metadata", "x-openrouter-experimental-metadata"},
      [&](std::string_view name) { return same_ignoring_case(headers.find(name).value_or(""), "enabled"); });
}

std::string router_metadata(const embed::Call& call, std::string_view requested,
                            std::chrono::nanoseconds took) {
  const auto available = [](const embed::CandidateRecord& candidate) {
    return candidate.excluded_by.empty();
  };
  // With parts side by side the last attempt to end need not be one that answered.
  const auto answer =
      std::ranges::find_if(call.attempts.rbegin(), call.attempts.rend(), &embed::AttemptRecord::ok);
  const bool answered = answer != call.attempts.rend();
  const std::string_view selected = answered ? std::string_view(answer->endpoint) : "";
  const bool alias = !call.candidates.empty() && !same_ignoring_case(call.candidates.front().model,
                                                                     routing::split_suffix(requested).name);
  std::string out = "{";
  members::text(out, "requested", requested);
  members::text(out, "strategy", alias ? "alias" : "direct");
  members::nulls(out, "region");
  members::text(out, "summary",
                "available=" + std::to_string(std::ranges::count_if(call.candidates, available)) +
                    ", selected=" + (answered ? answer->provider : "none"));
  members::number(out, "attempt", static_cast<std::int64_t>(call.attempts.size()));
  members::flag(out, "is_byok", false);
  members::key(out, "endpoints");
  out += '{';
  members::number(out, "total", static_cast<std::int64_t>(call.candidates.size()));
  std::vector<embed::CandidateRecord> able;
  std::ranges::copy_if(call.candidates, std::back_inserter(able), available);
  members::array(out, "available", able, [&](std::string& to, const embed::CandidateRecord& candidate) {
    to += '{';
    members::text(to, "provider", candidate.provider);
    members::text(to, "model", candidate.model);
    members::flag(to, "selected", candidate.endpoint == selected);
    to += '}';
  });
  out += '}';
  members::array(out, "attempts", call.attempts, [&](std::string& to, const embed::AttemptRecord& attempt) {
    to += '{';
    members::text(to, "provider", attempt.provider);
    members::text(to, "model", call.candidates.empty() ? requested : call.candidates.front().model);
    members::number(to, "status", attempt.status);
    to += '}';
  });
  members::number(out, "generation_time", std::chrono::floor<std::chrono::milliseconds>(took).count());
  return out += '}';
}

std::string availability(const Error& error, const embed::Call& call, std::string_view requested) {
  const Verdict said = verdict(error, call);
  if (said.code.empty()) return {};
  std::vector<std::string_view> affected;
  std::vector<std::string_view> excluded_by;
  for (const embed::AttemptRecord& attempt : call.attempts)
    if (!attempt.ok) add_distinct(affected, attempt.provider);
  if (error.code() == ErrorCode::no_endpoint) {
    for (const embed::CandidateRecord& candidate : call.candidates)
      add_distinct(excluded_by, exclusion_word(candidate.excluded_by));
  }
  std::string out = "{";
  members::text(out, "code", said.code);
  members::flag(out, "retryable", said.retryable);
  if (said.retryable && error.retry_after())
    members::number(out, "retry_after",
                    std::chrono::ceil<std::chrono::seconds>(*error.retry_after()).count());
  members::texts(out, "requested_models", std::array{requested});
  if (!affected.empty()) members::texts(out, "affected_providers", affected);
  if (!excluded_by.empty()) members::texts(out, "excluded_by", excluded_by);
  if (said.code == "constraint_filtered") {
    members::key(out, "constraint");
    out += '{';
    members::text(out, "field", error.param());
    members::text(out, "detail", error.message());
    out += '}';
  }
  members::text(out, "docs_url", kDocs);
  return out += '}';
}

std::string previous_errors(const embed::Call& call) {
  std::vector<embed::AttemptRecord> failed;
  std::ranges::copy_if(call.attempts, std::back_inserter(failed),
                       [](const embed::AttemptRecord& attempt) { return !attempt.ok; });
  if (failed.empty()) return {};
  std::string out = "{";
  members::array(out, "errors", failed, [](std::string& to, const embed::AttemptRecord& attempt) {
    to += '{';
    members::text(to, "provider", attempt.provider);
    members::text(to, "code", traits(attempt.code).name);
    members::number(to, "status", attempt.status);
    to += '}';
  });
  return out.substr(out.find('['));
}

}  // namespace embedrouter::gateway
