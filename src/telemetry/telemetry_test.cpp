#include <gtest/gtest.h>

#include "telemetry/exporter.h"
#include "telemetry/otlp_json.h"

namespace embedrouter::telemetry {
namespace {

Span span_named(std::string name) {
  Span span;
  span.trace = {0x0af7651916cd43dd, 0x8448eb211c80319c, 0xb7ad6b7169203331, true};
  span.name = std::move(name);
  span.start = Clock::Wall(std::chrono::seconds(1'700'000'000));
  span.end = span.start + std::chrono::milliseconds(5);
  return span;
}

TEST(OtlpJson, writes_ids_in_hex_and_large_integers_as_text) {
  Span span = span_named("POST \"x\"");
  span.parent = 1;
  span.kind = SpanKind::client;
  span.attributes = {{"http.response.status_code", 502}, {"model", "a/b"}};
  span.error = "upstream_error";
  EXPECT_EQ(
      encode_spans({{"service.name", "embedrouter"}}, std::span(&span, 1)),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"embedrouter"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"embedrouter"},"spans":[)"
      R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","parentSpanId":"0000000000000001",)"
      R"("name":"POST \"x\"","kind":3,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000005000000",)"
      R"("attributes":[{"key":"http.response.status_code","value":{"intValue":"502"}},)"
      R"({"key":"model","value":{"stringValue":"a/b"}}],"status":{"code":2,"message":"upstream_error"}}]}]}]})");
}

TEST(OtlpJson, a_root_span_that_went_well_has_neither_parent_nor_status) {
  const Span span = span_named("s");
  const std::string json = encode_spans({}, std::span(&span, 1));
  EXPECT_EQ(json.find("parentSpanId"), std::string::npos);
  EXPECT_EQ(json.find("status"), std::string::npos);
}

TEST(Exporter, drops_and_counts_what_the_queue_does_not_hold_and_ends_without_its_collector) {
  Metrics metrics;
  Log log(LogLevel::off);
  constexpr std::size_t kMany = 3 * Exporter::kQueue;
  {
    // Nothing listens there, so that sending never succeeds.
    auto exporter = Exporter::start({"http://127.0.0.1:1", {}}, metrics, log);
    ASSERT_TRUE(exporter) << exporter.error().message();
    for (std::size_t i = 0; i < kMany; ++i) (*exporter)->offer(span_named("s"));
  }
  const auto count = [&](const char* outcome) {
    return metrics.counter("embedrouter_spans_total", "", {{"outcome", outcome}}).Value();
  };
  EXPECT_GT(count("dropped"), 0);
  EXPECT_GT(count("failed"), 0);
  EXPECT_EQ(count("exported"), 0);
  EXPECT_EQ(count("dropped") + count("failed"), static_cast<double>(kMany));
}

TEST(Exporter, an_address_that_is_none_is_refused) {
  Metrics metrics;
  Log log(LogLevel::off);
  EXPECT_FALSE(Exporter::start({"collector:4318", {}}, metrics, log));
}

}  // namespace
}  // namespace embedrouter::telemetry
