#include "embed/adaptive_limit.h"

#include <gtest/gtest.h>

#include <deque>

namespace embedrouter::embed {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Time = AdaptiveLimit::Time;

// A provider that takes so many calls at a time, refuses others at once and answers after ten milliseconds;
// and a router that always has more to send.
struct Bench {
  Bench(std::uint32_t declared, std::uint32_t provider_takes) : takes(provider_takes) {
    limit.set_declared(declared);
  }
  void run_until_answered(std::size_t calls) {
    for (answered = 0, refused = 0; answered < calls;) run_a_millisecond();
  }
  void run_a_millisecond() {
    std::uint32_t over = 0;
    while (under_way.size() + over < limit.now()) {
      if (under_way.size() < takes) {
        under_way.push_back(now);
      } else {
        ++over;
      }
    }
    for (; over > 0; --over, ++refused)
      limit.refused(now + microseconds(1), now, static_cast<std::uint32_t>(under_way.size()) + over);
    now += milliseconds(1);
    for (; !under_way.empty() && under_way.front() + milliseconds(10) <= now; ++answered) {
      limit.answered(now, static_cast<std::uint32_t>(under_way.size()));
      under_way.pop_front();
    }
  }

  AdaptiveLimit limit;
  std::uint32_t takes;
  std::deque<Time> under_way;
  std::size_t answered = 0, refused = 0;
  Time now{};
};

TEST(AdaptiveLimit, is_the_declared_one_while_nothing_is_refused) {
  Bench bench(16, 1000);
  bench.run_until_answered(10'000);
  EXPECT_EQ(bench.limit.now(), 16U);
  EXPECT_FALSE(bench.limit.lowered());
}

TEST(AdaptiveLimit, C5_finds_the_providers_within_a_few_round_trips_and_keeps_at_it) {
  for (const std::uint32_t takes : {1U, 2U, 3U, 4U, 8U, 20U, 100U}) {
    Bench bench(256, takes);
    for (int i = 0; i < 20; ++i) bench.run_a_millisecond();
    EXPECT_LE(bench.limit.now(), takes + 1) << takes;
    for (int i = 0; i < 20; ++i) {
      bench.run_until_answered(1'000);
      EXPECT_GE(bench.limit.now(), takes) << "never below what it takes";
      EXPECT_LE(bench.limit.now(), takes + 1);
      EXPECT_LE(bench.refused, 10U) << takes << ": one in a hundred";
    }
  }
}

TEST(AdaptiveLimit, C5_follows_a_limit_that_shrinks_and_one_that_grows_again) {
  Bench bench(64, 10);
  bench.run_until_answered(100);
  bench.takes = 3;
  bench.run_until_answered(100);
  EXPECT_LE(bench.limit.now(), 4U);
  EXPECT_GE(bench.limit.now(), 3U);
  bench.takes = 10;
  bench.run_until_answered(1'500);
  EXPECT_GE(bench.limit.now(), 10U);
}

TEST(AdaptiveLimit, loses_at_most_half_of_those_under_way_in_a_round) {
  AdaptiveLimit limit;
  const Time began{}, known = began + milliseconds(5);
  for (std::uint32_t under_way = 20; under_way > 0; --under_way) limit.refused(known, began, under_way);
  EXPECT_EQ(limit.now(), 10U);
  limit.refused(known + milliseconds(5), known + milliseconds(1), 10);
  EXPECT_EQ(limit.now(), 9U);
}

TEST(AdaptiveLimit, is_not_moved_by_a_call_that_was_alone) {
  AdaptiveLimit limit;
  limit.refused(Time{} + milliseconds(1), Time{}, 1);
  EXPECT_FALSE(limit.lowered());
}

TEST(AdaptiveLimit, grows_only_where_its_places_are_used) {
  AdaptiveLimit limit;
  const Time now{};
  limit.refused(now + milliseconds(1), now, 9);
  ASSERT_EQ(limit.now(), 8U);
  for (int i = 0; i < 1'000; ++i) limit.answered(now + milliseconds(2), 3);
  EXPECT_EQ(limit.now(), 8U);
  for (std::uint32_t i = 0; i < AdaptiveLimit::kAnswersPerPlace; ++i)
    limit.answered(now + milliseconds(2), 4);
  EXPECT_EQ(limit.now(), 9U);
}

TEST(AdaptiveLimit, is_forgotten_after_a_while_without_a_refusal) {
  AdaptiveLimit limit;
  const Time now{};
  limit.refused(now, now, 4);
  limit.answered(now + AdaptiveLimit::kHold - milliseconds(1), 1);
  EXPECT_EQ(limit.now(), 3U);
  limit.answered(now + AdaptiveLimit::kHold, 1);
  EXPECT_EQ(limit.now(), 256U);
}

TEST(AdaptiveLimit, keeps_what_it_learned_when_another_number_is_declared) {
  AdaptiveLimit limit;
  limit.refused(Time{}, Time{}, 6);
  limit.set_declared(100);
  EXPECT_EQ(limit.now(), 5U);
  limit.set_declared(3);
  EXPECT_EQ(limit.now(), 3U);
  EXPECT_FALSE(limit.lowered());
  limit.set_declared(7);
  EXPECT_EQ(limit.now(), 7U);
}

}  // namespace
}  // namespace embedrouter::embed
