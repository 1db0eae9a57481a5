#include "providers/keys.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "providers/retry_after.h"

namespace embedrouter::providers {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::string_view kHere = "m@p";
constexpr std::string_view kThere = "other@p";

Error refusal(ErrorCode code, std::optional<milliseconds> named = std::nullopt) {
  Error error(code, "no");
  return named ? std::move(error).with_retry_after(*named) : error;
}

struct Bench {
  explicit Bench(std::vector<std::string> keys) : pool("p", std::move(keys), 7, clock, log) {}

  std::optional<std::string> take(std::string_view endpoint = kHere) {
    auto lease = pool.take(endpoint, {});
    if (!lease) return std::nullopt;
    last = *lease;
    return std::string(lease->authorization);
  }
  // Whichever key is next is refused.
  void refuse(const Error& error, std::string_view endpoint = kHere) {
    ASSERT_TRUE(take(endpoint));
    pool.report(endpoint, last, &error);
  }
  void answer(std::string_view endpoint = kHere) { pool.report(endpoint, last, nullptr); }
  milliseconds wait(std::string_view endpoint = kHere) { return pool.wait(endpoint).value_or(0ms); }

  ManualClock clock;
  Log log{LogLevel::off};
  KeyPool pool;
  KeyPool::Lease last;
};

TEST(KeyPool, takes_keys_in_turn) {
  Bench bench({"a", "b", "c"});
  std::vector<std::string> taken;
  for (int i = 0; i < 6; ++i) taken.push_back(*bench.take());
  EXPECT_EQ(taken, (std::vector<std::string>{"Bearer a", "Bearer b", "Bearer c", "Bearer a", "Bearer b",
                                             "Bearer c"}));
}

TEST(KeyPool, leaves_out_what_was_tried) {
  Bench bench({"a", "b"});
  EXPECT_EQ(bench.pool.take(kHere, {0})->authorization, "Bearer b");
  EXPECT_EQ(bench.pool.take(kHere, {1})->authorization, "Bearer a");
}

TEST(KeyPool, a_pause_is_as_long_as_the_provider_says_and_only_at_that_endpoint) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_rate_limited, 2000ms));
  EXPECT_EQ(bench.wait(), 2000ms);
  EXPECT_TRUE(bench.take(kThere));
  const auto parked = bench.pool.take(kHere, {});
  ASSERT_FALSE(parked);
  EXPECT_EQ(parked.error().code(), ErrorCode::upstream_rate_limited);
  EXPECT_EQ(parked.error().retry_after(), 2000ms);
  EXPECT_TRUE(parked.error().unsent());
  bench.clock.advance(1999ms);
  EXPECT_FALSE(bench.take());
  bench.clock.advance(1ms);
  EXPECT_TRUE(bench.take());
  EXPECT_TRUE(bench.take()) << "after a pause all calls may use it";
}

TEST(KeyPool, a_rate_limit_that_names_no_time_pauses_from_the_second_on_and_longer_each_time) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_rate_limited));
  EXPECT_EQ(bench.wait(), 0ms);
  milliseconds before = 0ms;
  for (milliseconds expected = KeyPool::kFirstPause; expected <= KeyPool::kLongestPause; expected *= 2) {
    bench.refuse(refusal(ErrorCode::upstream_rate_limited));
    EXPECT_GE(bench.wait(), expected * 4 / 5);
    EXPECT_LE(bench.wait(), expected * 6 / 5);
    EXPECT_GT(bench.wait(), before * 4 / 5);
    before = bench.wait();
    bench.clock.advance(bench.wait());
  }
  for (int i = 0; i < 40; ++i) {
    bench.refuse(refusal(ErrorCode::upstream_rate_limited));
    EXPECT_LE(bench.wait(), KeyPool::kLongestPause * 6 / 5);
    bench.clock.advance(bench.wait());
  }
  ASSERT_TRUE(bench.take());
  bench.answer();
  bench.refuse(refusal(ErrorCode::upstream_rate_limited));
  EXPECT_EQ(bench.wait(), 0ms) << "an answer begins it anew";
}

TEST(KeyPool, an_answer_in_between_is_any_that_came_even_to_a_call_from_before) {
  Bench bench({"a"});
  ASSERT_TRUE(bench.take());
  const KeyPool::Lease slow = bench.last;
  bench.refuse(refusal(ErrorCode::upstream_rate_limited));
  bench.pool.report(kHere, slow, nullptr);
  bench.refuse(refusal(ErrorCode::upstream_rate_limited));
  EXPECT_EQ(bench.wait(), 0ms) << "it answers others of those it was given side by side";
  bench.refuse(refusal(ErrorCode::upstream_rate_limited));
  ASSERT_GT(bench.wait(), 0ms);
  bench.pool.report(kHere, slow, nullptr);
  EXPECT_GT(bench.wait(), 0ms) << "a pause that has begun is kept";
}

TEST(KeyPool, a_refused_key_is_parked_everywhere_and_tried_again_by_one_call) {
  for (const ErrorCode code : {ErrorCode::upstream_unauthorized, ErrorCode::upstream_quota}) {
    Bench bench({"a"});
    bench.refuse(refusal(code));
    EXPECT_FALSE(bench.take());
    EXPECT_FALSE(bench.take(kThere));
    EXPECT_GE(bench.wait(), KeyPool::kFirstParking * 4 / 5);
    bench.clock.advance(bench.wait());
    ASSERT_TRUE(bench.take());
    EXPECT_FALSE(bench.take()) << "one call at a time";
    EXPECT_FALSE(bench.take(kThere));
    bench.answer();
    EXPECT_TRUE(bench.take());
    EXPECT_TRUE(bench.take(kThere));
    EXPECT_EQ(bench.pool.counts().ready, 1U);
  }
}

TEST(KeyPool, each_failed_trial_parks_for_longer_up_to_the_longest) {
  Bench bench({"a"});
  milliseconds expected = KeyPool::kFirstParking;
  for (int i = 0; i < 20; ++i) {
    bench.refuse(refusal(ErrorCode::upstream_unauthorized));
    EXPECT_GE(bench.wait(), expected * 4 / 5) << i;
    EXPECT_LE(bench.wait(), expected * 6 / 5) << i;
    bench.clock.advance(bench.wait());
    expected = std::min<milliseconds>(expected * 2, KeyPool::kLongestParking);
  }
}

TEST(KeyPool, a_spent_balance_is_parked_until_the_day_that_is_named_and_the_caller_is_told_a_minute) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_quota, kLongestDrought));
  EXPECT_EQ(bench.wait(), kLongestDrought);
  EXPECT_EQ(bench.pool.take(kHere, {}).error().retry_after(), kLongestWait);
  bench.clock.advance(kLongestDrought - 1ms);
  EXPECT_FALSE(bench.take());
}

TEST(KeyPool, a_named_time_that_is_short_is_no_time_for_a_balance_to_be_filled) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_quota, 1000ms));
  EXPECT_GE(bench.wait(), KeyPool::kFirstParking * 4 / 5);
}

TEST(KeyPool, a_forbidden_key_is_parked_at_that_endpoint_alone) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_forbidden));
  EXPECT_FALSE(bench.take());
  EXPECT_TRUE(bench.take(kThere));
  EXPECT_EQ(bench.pool.counts().forbidden, 1U);
}

TEST(KeyPool, other_failures_park_nothing_and_end_a_trial) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_error));
  EXPECT_TRUE(bench.take());
  bench.refuse(refusal(ErrorCode::upstream_unauthorized));
  bench.clock.advance(bench.wait());
  bench.refuse(refusal(ErrorCode::upstream_timeout));
  EXPECT_TRUE(bench.take()) << "the next call may try it";
}

TEST(KeyPool, a_trial_that_nobody_reports_is_given_up) {
  Bench bench({"a"});
  bench.refuse(refusal(ErrorCode::upstream_unauthorized));
  bench.clock.advance(bench.wait());
  ASSERT_TRUE(bench.take());
  bench.clock.advance(KeyPool::kProbeTime - 1ms);
  EXPECT_FALSE(bench.take());
  bench.clock.advance(1ms);
  EXPECT_TRUE(bench.take());
}

TEST(KeyPool, what_was_under_way_when_a_key_was_parked_changes_nothing) {
  Bench bench({"a"});
  ASSERT_TRUE(bench.take());
  const KeyPool::Lease good = bench.last;
  ASSERT_TRUE(bench.take());
  const KeyPool::Lease bad = bench.last;
  const Error refused = refusal(ErrorCode::upstream_unauthorized);
  bench.refuse(refused);
  const milliseconds first = bench.wait();
  for (int i = 0; i < 10; ++i) bench.pool.report(kHere, bad, &refused);
  EXPECT_EQ(bench.wait(), first) << "ten calls under way are one refusal";
  bench.pool.report(kHere, good, nullptr);
  EXPECT_FALSE(bench.take()) << "an answer to a call from before proves nothing";
}

TEST(KeyPool, a_longer_time_that_a_call_under_way_is_told_counts) {
  Bench bench({"a"});
  ASSERT_TRUE(bench.take());
  const KeyPool::Lease early = bench.last;
  bench.refuse(refusal(ErrorCode::upstream_rate_limited, 1000ms));
  const Error longer = refusal(ErrorCode::upstream_rate_limited, 5000ms);
  bench.pool.report(kHere, early, &longer);
  EXPECT_EQ(bench.wait(), 5000ms);
}

TEST(KeyPool, when_all_are_parked_the_one_that_is_back_first_speaks) {
  Bench bench({"a", "b", "c"});
  bench.refuse(refusal(ErrorCode::upstream_quota, kLongestDrought));
  bench.refuse(refusal(ErrorCode::upstream_rate_limited, 9000ms));
  EXPECT_EQ(bench.take(), "Bearer c");
  bench.refuse(refusal(ErrorCode::upstream_rate_limited, 4000ms));
  const auto parked = bench.pool.take(kHere, {});
  ASSERT_FALSE(parked);
  EXPECT_EQ(parked.error().code(), ErrorCode::upstream_rate_limited);
  EXPECT_EQ(parked.error().retry_after(), 4000ms);
  const KeyPool::Counts counts = bench.pool.counts();
  EXPECT_EQ(counts.exhausted, 1U);
  EXPECT_EQ(counts.limited, 2U);
  EXPECT_EQ(counts.ready, 0U);
}

TEST(KeyPool, a_provider_without_a_key_pauses_and_is_never_parked) {
  Bench bench({});
  EXPECT_EQ(bench.take(), "");
  bench.refuse(refusal(ErrorCode::upstream_unauthorized));
  bench.refuse(refusal(ErrorCode::upstream_quota));
  bench.refuse(refusal(ErrorCode::upstream_forbidden));
  EXPECT_TRUE(bench.take());
  bench.refuse(refusal(ErrorCode::upstream_rate_limited, 1000ms));
  EXPECT_FALSE(bench.take());
  EXPECT_EQ(bench.pool.counts().limited, 0U) << "there is no key to count";
}

TEST(KeyPool, is_shared_by_threads) {
  SystemClock clock;
  Log log(LogLevel::off);
  KeyPool pool("p", {"a", "b", "c"}, 1, clock, log);
  std::vector<std::thread> threads;
  for (std::size_t id = 0; id < 4; ++id) {
    threads.emplace_back([&, id] {
      for (int i = 0; i < 2'000; ++i) {
        const auto lease = pool.take(kHere, {});
        if (!lease) continue;
        const Error limited = refusal(ErrorCode::upstream_rate_limited, 1ms);
        pool.report(kHere, *lease, (static_cast<std::size_t>(i) + id) % 3 == 0 ? &limited : nullptr);
        pool.counts();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const KeyPool::Counts counts = pool.counts();
  EXPECT_EQ(counts.ready + counts.limited, 3U);
}

TEST(KeyPools, one_that_never_came_into_use_leaves_the_metrics_to_the_one_that_is) {
  ManualClock clock;
  Log log(LogLevel::off);
  KeyPools pools;
  Metrics metrics;
  pools.watch(metrics);
  const auto used = pools.make("p", {"a", "b"}, clock, log);
  pools.make("p", {"c"}, clock, log);
  EXPECT_NE(metrics.render().find(R"(embedrouter_provider_keys{provider="p",state="ready"} 2)"),
            std::string::npos);
}

TEST(KeyPools, a_new_pool_takes_the_place_of_the_old_one_in_the_metrics) {
  ManualClock clock;
  Log log(LogLevel::off);
  KeyPools pools;
  Metrics metrics;
  pools.watch(metrics);
  auto old = pools.make("p", {"a", "b"}, clock, log);
  const Error refused = refusal(ErrorCode::upstream_unauthorized);
  old->report(kHere, *old->take(kHere, {}), &refused);
  EXPECT_NE(metrics.render().find(R"(embedrouter_provider_keys{provider="p",state="refused"} 1)"),
            std::string::npos);
  const auto fresh = pools.make("p", {"a"}, clock, log);
  const std::string text = metrics.render();
  EXPECT_NE(text.find(R"(embedrouter_provider_keys{provider="p",state="refused"} 0)"), std::string::npos);
  EXPECT_NE(text.find(R"(embedrouter_provider_keys{provider="p",state="ready"} 1)"), std::string::npos);
}

}  // namespace
}  // namespace embedrouter::providers
