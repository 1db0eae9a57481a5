#include <gtest/gtest.h>

#include "base/metrics.h"
#include "base/process_metrics.h"
#include "base/trace_context.h"

namespace embedrouter {
namespace {

constexpr auto kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, reads_what_the_specification_shows_and_writes_it_on) {
  const auto context = parse_traceparent(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(trace_id_text(*context), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span_id_text(context->span), "b7ad6b7169203331");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(traceparent(*context, context->span), kParent);
  EXPECT_EQ(traceparent(*context, 1), "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-01");
}

TEST(TraceContext, passes_on_no_flag_it_does_not_know) {
  const auto context = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe");
  ASSERT_TRUE(context);
  EXPECT_FALSE(context->sampled);
  EXPECT_TRUE(traceparent(*context, 1).ends_with("-00"));
}

TEST(TraceContext, of_a_later_version_the_known_part_is_read) {
  EXPECT_TRUE(
      parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings"));
  EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
}

TEST(TraceContext, what_is_malformed_is_no_context) {
  for (const char* value : {
           "",
           "00",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
           "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
           "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
           "xx-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
       }) {
    EXPECT_FALSE(parse_traceparent(value)) << value;
  }
}

TEST(Metrics, what_is_read_is_read_before_each_render) {
  Metrics metrics;
  Gauge& gauge = metrics.gauge("embedrouter_things", "Things");
  double things = 1;
  metrics.before_render([&] { gauge.Set(things); });
  EXPECT_NE(metrics.render().find("embedrouter_things 1"), std::string::npos);
  things = 2;
  EXPECT_NE(metrics.render().find("embedrouter_things 2"), std::string::npos);
}

TEST(Metrics, a_counter_follows_a_total_and_never_goes_back) {
  Metrics metrics;
  Counter& counter = metrics.counter("embedrouter_steps_total", "Steps");
  advance(counter, 5);
  advance(counter, 3);
  advance(counter, 7);
  EXPECT_EQ(counter.Value(), 7);
}

TEST(ProcessMetrics, say_what_proc_says) {
  Metrics metrics;
  watch_process(metrics);
  metrics.render();
  EXPECT_GT(metrics.gauge("process_resident_memory_bytes", "").Value(), 1e6);
  EXPECT_GE(metrics.gauge("process_open_fds", "").Value(), 3);
  EXPECT_GE(metrics.gauge("process_threads", "").Value(), 1);
  EXPECT_GT(metrics.gauge("process_start_time_seconds", "").Value(), 1.6e9);
}

}  // namespace
}  // namespace embedrouter
