#include "gateway/route_report.h"

#include <gtest/gtest.h>

namespace embedrouter::gateway {
namespace {

embed::Call call_with(std::vector<std::pair<std::string_view, const char*>> candidates,
                      std::vector<std::pair<const char*, ErrorCode>> failures) {
  embed::Call call("gen-emb-1", std::chrono::steady_clock::time_point::max());
  for (const auto& [provider, excluded_by] : candidates)
    call.candidates.push_back({provider, provider, "test/model", excluded_by});
  for (const auto& [provider, code] : failures) {
    embed::AttemptRecord attempt;
    attempt.endpoint = attempt.provider = provider;
    attempt.code = code;
    attempt.status = traits(code).http_status;
    call.attempts.push_back(attempt);
  }
  return call;
}

// The code of error.availability, with what excluded endpoints; "" where there is none.
std::string said(ErrorCode error, const embed::Call& call) {
  const std::string json = availability(Error(error, "m"), call, "test/model");
  const auto part = [&](std::string_view name, char until) -> std::string {
    const std::size_t at = json.find(name);
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size();
    return json.substr(begin, json.find(until, begin) - begin);
  };
  return part(R"("code":")", '"') + part(R"("excluded_by":)", ']');
}

TEST(Availability, tells_why_nobody_could_answer) {
  using enum ErrorCode;
  EXPECT_EQ(said(model_not_found, call_with({}, {})), "model_not_found");
  EXPECT_EQ(said(no_endpoint, call_with({}, {})), "no_endpoints");
  EXPECT_EQ(said(no_endpoint, call_with({{"a", "provider.zdr"}, {"b", "provider.data_collection"}}, {})),
            R"(privacy_restricted["data_policy:zdr","data_policy:training")");
  EXPECT_EQ(said(no_endpoint, call_with({{"a", "provider.zdr"}, {"b", "provider.max_price"}}, {})),
            R"(constraint_filtered["data_policy:zdr","max_price")");
  EXPECT_EQ(said(no_endpoint, call_with({{"a", "provider.only"}, {"b", "provider.ignore"}}, {})),
            R"(constraint_filtered["allowed_providers")");
}

TEST(Availability, tells_what_the_attempts_had_in_common) {
  using enum ErrorCode;
  EXPECT_EQ(said(upstream_rate_limited, call_with({{"a", ""}}, {{"a", upstream_rate_limited}})),
            "capacity_exhausted");
  EXPECT_EQ(said(upstream_rate_limited,
                 call_with({{"a", ""}}, {{"b", upstream_error}, {"a", upstream_rate_limited}})),
            "temporarily_unavailable");
  EXPECT_EQ(said(model_unavailable, call_with({{"a", ""}}, {{"a", model_unavailable}})),
            "model_unavailable_upstream");
  EXPECT_EQ(said(upstream_timeout, call_with({{"a", ""}}, {{"a", upstream_timeout}})),
            "temporarily_unavailable");
  EXPECT_EQ(said(no_equivalent_upstream, call_with({{"a", ""}}, {{"a", upstream_error}})),
            "temporarily_unavailable");
  for (const ErrorCode other :
       {upstream_rejected, upstream_unauthorized, upstream_forbidden, upstream_quota, upstream_policy})
    EXPECT_EQ(said(other, call_with({{"a", ""}}, {{"a", other}})), "") << traits(other).name;
  EXPECT_EQ(said(invalid_request, call_with({{"a", "dimensions"}}, {})), "");
}

TEST(Availability, carries_the_hint_to_wait_in_whole_seconds) {
  const auto call = call_with({{"a", ""}}, {{"a", ErrorCode::upstream_rate_limited}});
  const Error error =
      Error(ErrorCode::upstream_rate_limited, "m").with_retry_after(std::chrono::milliseconds(1500));
  EXPECT_EQ(
      availability(error, call, "test/model"),
      R"({"code":"capacity_exhausted","retryable":true,"retry_after":2,"requested_models":["test/model"],)"
      R"("affected_providers":["a"],"docs_url":"/api/v1/openapi.json"})");
}

TEST(PreviousErrors, are_the_attempts_that_failed) {
  auto call = call_with({{"a", ""}}, {{"a", ErrorCode::upstream_error}, {"b", ErrorCode::upstream_timeout}});
  call.attempts[0].ok = true;
  EXPECT_EQ(previous_errors(call), R"([{"provider":"b","code":"upstream_timeout","status":504}])");
  EXPECT_EQ(previous_errors(call_with({}, {})), "");
}

TEST(RouterMetadata, tells_who_could_and_who_did) {
  auto call = call_with({{"b", ""}, {"c", ""}, {"a", "provider.ignore"}}, {{"b", ErrorCode::upstream_error}});
  embed::AttemptRecord good;
  good.endpoint = good.provider = "c";
  good.ok = true;
  good.status = 200;
  call.attempts.push_back(good);
  EXPECT_EQ(
      router_metadata(call, "small:floor", std::chrono::microseconds(42'900)),
      R"({"requested":"small:floor","strategy":"alias","region":null,"summary":"available=2, selected=c","attempt":2,)"
      R"("is_byok":false,"endpoints":{"total":3,"available":[{"provider":"b","model":"test/model","selected":false},)"
      R"({"provider":"c","model":"test/model","selected":true}]},"attempts":[{"provider":"b","model":"test/model",)"
      R"("status":502},{"provider":"c","model":"test/model","status":200}],"generation_time":42})");
}

}  // namespace
}  // namespace embedrouter::gateway
