#include "embed/endpoint_statistics.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace embedrouter::embed {
namespace {

using namespace std::chrono_literals;
using Time = EndpointStatistics::Time;

constexpr Time kNow{100h};
const Error kFailed(ErrorCode::upstream_error, "m");
const Error kLimited(ErrorCode::upstream_rate_limited, "m");

void add(EndpointStatistics& statistics, Time at, int successes, int failures, int limited = 0) {
  for (int i = 0; i < successes; ++i) statistics.add_success(at, 10ms, 10);
  for (int i = 0; i < failures; ++i) statistics.add_error(at, kFailed);
  for (int i = 0; i < limited; ++i) statistics.add_error(at, kLimited);
}

TEST(OutcomeOf, follows_the_table_of_the_contract) {
  const auto outcome = [](ErrorCode code, int status = 0) {
    return outcome_of(Error(code, "m").with_upstream_status(status));
  };
  for (const ErrorCode code :
       {ErrorCode::upstream_unreachable, ErrorCode::upstream_error, ErrorCode::upstream_timeout,
        ErrorCode::upstream_invalid_answer, ErrorCode::upstream_count_mismatch,
        ErrorCode::upstream_invalid_vector, ErrorCode::upstream_quota, ErrorCode::upstream_overloaded,
        ErrorCode::model_unavailable}) {
    EXPECT_EQ(outcome(code), Outcome::failure) << traits(code).name;
  }
  EXPECT_EQ(outcome(ErrorCode::upstream_unauthorized, 401), Outcome::failure);
  EXPECT_EQ(outcome(ErrorCode::upstream_forbidden, 403), Outcome::uncounted);
  EXPECT_EQ(outcome(ErrorCode::upstream_rate_limited, 429), Outcome::rate_limited);
  for (const ErrorCode code : {ErrorCode::upstream_rejected, ErrorCode::context_length_exceeded,
                               ErrorCode::overloaded, ErrorCode::client_closed}) {
    EXPECT_EQ(outcome(code), Outcome::uncounted) << traits(code).name;
  }
  for (const ErrorCode code : {ErrorCode::upstream_quota, ErrorCode::upstream_rate_limited})
    EXPECT_EQ(outcome_of(Error(code, "m").as_unsent()), Outcome::uncounted) << "nobody was asked";
}

TEST(EndpointStatistics, knows_nothing_before_the_first_attempt) {
  const EndpointStatistics statistics;
  EXPECT_FALSE(statistics.latency_seconds(kNow, 0.5, 30min));
  EXPECT_FALSE(statistics.tokens_per_second(kNow, 0.5, 30min));
  EXPECT_FALSE(statistics.uptime(kNow, 5min));
  EXPECT_EQ(statistics.counts(kNow, 30s).attempts(), 0U);
}

TEST(EndpointStatistics, percentiles_are_near_the_true_ones) {
  EndpointStatistics statistics;
  for (int i = 1; i <= 1000; ++i) statistics.add_success(kNow, std::chrono::milliseconds(i), 100);
  for (const double percentile : {0.01, 0.5, 0.75, 0.9, 0.99, 1.0}) {
    const double latency = *statistics.latency_seconds(kNow, percentile, 5min);
    EXPECT_NEAR(latency, percentile, percentile * 0.07) << percentile;
    // The slowest rate belongs to the longest time.
    const double rate = *statistics.tokens_per_second(kNow, 1 - percentile, 5min);
    EXPECT_NEAR(rate, 100 / (percentile + 0.001), 100 / percentile * 0.08) << percentile;
  }
}

TEST(EndpointStatistics, extreme_values_stay_in_the_table) {
  EndpointStatistics statistics;
  statistics.add_success(kNow, 0ns, std::numeric_limits<std::uint64_t>::max());
  statistics.add_success(kNow, 100'000h, 0);
  EXPECT_GT(*statistics.latency_seconds(kNow, 1, 5min), 100'000);
  EXPECT_LT(*statistics.latency_seconds(kNow, 0, 5min), 0.001);
  EXPECT_GT(*statistics.tokens_per_second(kNow, 1, 5min), 900'000);
}

TEST(EndpointStatistics, answers_leave_the_window_with_their_minute) {
  EndpointStatistics statistics;
  statistics.add_success(kNow, 1s, 100);
  statistics.add_success(kNow + 10min, 100ms, 100);
  EXPECT_NEAR(*statistics.latency_seconds(kNow + 10min, 1, 5min), 0.1, 0.01);
  EXPECT_NEAR(*statistics.latency_seconds(kNow + 10min, 1, 30min), 1, 0.1);
  EXPECT_FALSE(statistics.latency_seconds(kNow + 15min, 0.5, 5min));
  statistics.add_success(kNow + 30min, 100ms, 100);  // into the slot of the first
  EXPECT_NEAR(*statistics.latency_seconds(kNow + 30min, 1, 30min), 0.1, 0.01);
}

TEST(EndpointStatistics, counts_the_last_seconds_and_the_last_minutes) {
  EndpointStatistics statistics;
  add(statistics, kNow, 3, 2, 1);
  add(statistics, kNow + 20s, 1, 0);
  EXPECT_EQ(statistics.counts(kNow + 29s, 30s).failures, 2U);
  EXPECT_EQ(statistics.counts(kNow + 29s, 30s).attempts(), 7U);
  EXPECT_EQ(statistics.counts(kNow + 30s, 30s).attempts(), 1U);
  EXPECT_EQ(statistics.counts(kNow + 90s, 60s).attempts(), 0U);
  EXPECT_EQ(statistics.counts(kNow + 29min, 30min).rate_limited, 1U);
  EXPECT_EQ(statistics.counts(kNow + 30min, 30min).attempts(), 0U);
}

TEST(EndpointStatistics, uptime_is_the_share_of_good_minutes_among_the_busy_ones) {
  EndpointStatistics statistics;
  add(statistics, kNow, 8, 2);             // 80 %: good
  add(statistics, kNow + 1min, 7, 3);      // bad
  add(statistics, kNow + 2min, 0, 9);      // too few attempts to tell
  add(statistics, kNow + 3min, 10, 0, 9);  // rate limits are no attempts
  EXPECT_NEAR(*statistics.uptime(kNow + 3min, 5min), 100.0 * 2 / 3, 1e-9);
  EXPECT_NEAR(*statistics.uptime(kNow + 3min, 1min), 100, 1e-9);
  EXPECT_FALSE(statistics.uptime(kNow + 2min, 1min));
  EXPECT_NEAR(*statistics.uptime(kNow + 23h, EndpointStatistics::kLongestCounts), 100.0 * 2 / 3, 1e-9);
  EXPECT_FALSE(statistics.uptime(kNow + 25h, EndpointStatistics::kLongestCounts));
}

TEST(EndpointStatistics, threads_lose_nothing) {
  EndpointStatistics statistics;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        add(statistics, kNow, 1, 1);
        if (i % 100 == 0) (void)statistics.latency_seconds(kNow, 0.5, 5min);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(statistics.counts(kNow, 1min).successes, 4000U);
  EXPECT_EQ(statistics.counts(kNow, 1min).failures, 4000U);
}

}  // namespace
}  // namespace embedrouter::embed
