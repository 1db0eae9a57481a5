#include "routing/health.h"

#include <gtest/gtest.h>

namespace embedrouter::routing {
namespace {

using namespace std::chrono_literals;
using State = Health::State;

struct Bench {
  std::optional<Health::Change> fail(ErrorCode code = ErrorCode::upstream_error,
                                     Health::Time began = Health::kNow) {
    return health.fail(now, Error(code, "as the test says"), recent, random, began);
  }
  std::optional<Health::Change> limited(std::optional<std::chrono::milliseconds> wait = {}) {
    Error error(ErrorCode::upstream_rate_limited, "slow down");
    if (wait) error = std::move(error).with_retry_after(*wait);
    return health.fail(now, error, recent, random);
  }
  void eject() {
    for (std::uint32_t i = 0; i < Health::kFailuresInARow; ++i) fail();
  }
  State state() const { return health.snapshot(now).state; }
  Standing standing() const { return health.standing(now); }

  Health health;
  Random random{3};
  embed::EndpointStatistics::Counts recent;
  Health::Time now{1h};
};

TEST(Health, one_failure_makes_unsteady_for_half_a_minute) {
  Bench bench;
  EXPECT_EQ(bench.standing(), Standing::stable);
  EXPECT_FALSE(bench.fail());
  EXPECT_EQ(bench.standing(), Standing::unsteady);
  bench.health.succeed(bench.now);
  EXPECT_EQ(bench.standing(), Standing::unsteady) << "CONTRACT 6.2: an outage within 30 s";
  bench.now += Health::kOutage;
  EXPECT_EQ(bench.standing(), Standing::stable);
}

TEST(Health, three_in_a_row_eject_and_a_success_between_does_not) {
  Bench bench;
  EXPECT_FALSE(bench.fail());
  EXPECT_FALSE(bench.fail());
  bench.health.succeed(bench.now);
  EXPECT_FALSE(bench.fail());
  EXPECT_FALSE(bench.fail());
  const auto change = bench.fail();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, State::open);
  EXPECT_EQ(bench.standing(), Standing::ejected);
}

TEST(Health, half_of_the_recent_attempts_eject) {
  Bench bench;
  bench.recent = {.successes = 9, .failures = 9};
  EXPECT_FALSE(bench.fail()) << "too few to judge by";
  bench.health.succeed(bench.now);
  bench.recent = {.successes = 11, .failures = 10};
  EXPECT_FALSE(bench.fail());
  bench.health.succeed(bench.now);
  bench.recent = {.successes = 10, .failures = 10};
  EXPECT_TRUE(bench.fail());
}

TEST(Health, ejections_double_up_to_a_bound_and_are_jittered) {
  Bench bench;
  bench.eject();
  std::chrono::milliseconds expected = Health::kFirstEjection;
  for (int round = 0; round < 12; ++round) {
    const auto until = bench.health.snapshot(bench.now).until;
    EXPECT_GE(until - bench.now, expected * 4 / 5);
    EXPECT_LE(until - bench.now, expected * 6 / 5);
    bench.now = until;
    EXPECT_EQ(bench.state(), State::half_open);
    ASSERT_TRUE(bench.health.admit(bench.now));
    ASSERT_TRUE(bench.fail());
    expected = std::min<std::chrono::milliseconds>(expected * 2, Health::kLongestEjection);
  }
}

TEST(Health, half_open_lets_one_through_at_a_time) {
  Bench bench;
  bench.eject();
  bench.now += 7s;
  EXPECT_EQ(bench.standing(), Standing::stable) << "it is asked like the others, or it would never come back";
  EXPECT_TRUE(bench.health.admit(bench.now));
  EXPECT_FALSE(bench.health.admit(bench.now));
  EXPECT_EQ(bench.standing(), Standing::ejected) << "while one request is proving it";
  const auto change = bench.health.succeed(bench.now);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, State::closed);
  EXPECT_EQ(bench.standing(), Standing::stable);
  EXPECT_TRUE(bench.health.admit(bench.now));
  EXPECT_TRUE(bench.health.admit(bench.now));
}

TEST(Health, a_probe_that_says_nothing_frees_its_place) {
  Bench bench;
  bench.eject();
  bench.now += 7s;
  ASSERT_TRUE(bench.health.admit(bench.now));
  EXPECT_FALSE(bench.fail(ErrorCode::client_closed));
  EXPECT_TRUE(bench.health.admit(bench.now));
  bench.now += Health::kProbeTime;
  EXPECT_TRUE(bench.health.admit(bench.now)) << "nobody told how it ended";
}

TEST(Health, what_was_under_way_when_it_was_ejected_changes_nothing) {
  Bench bench;
  const auto before = bench.now - 1s;
  bench.eject();
  const auto until = bench.health.snapshot(bench.now).until;
  EXPECT_FALSE(bench.fail(ErrorCode::upstream_timeout, before));
  EXPECT_FALSE(bench.health.succeed(bench.now, before));
  EXPECT_EQ(bench.health.snapshot(bench.now).until, until);
  EXPECT_EQ(bench.state(), State::open);
  bench.now += 7s;  // a deadline may be longer than an ejection
  EXPECT_FALSE(bench.fail(ErrorCode::upstream_timeout, before));
  EXPECT_FALSE(bench.health.succeed(bench.now, before));
  EXPECT_EQ(bench.state(), State::half_open);
}

TEST(Health, an_answer_to_what_was_asked_all_the_same_closes_it_early) {
  Bench bench;
  bench.eject();
  bench.now += 1s;
  EXPECT_FALSE(bench.fail()) << "all were out and it was asked";
  EXPECT_EQ(bench.state(), State::open);
  const auto change = bench.health.succeed(bench.now, bench.now);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, State::closed);
  EXPECT_EQ(bench.standing(), Standing::stable);
}

TEST(Health, a_client_that_leaves_frees_the_place_of_its_probe) {
  Bench bench;
  bench.eject();
  bench.now += 7s;
  ASSERT_TRUE(bench.health.admit(bench.now));
  bench.health.give_up();
  EXPECT_EQ(bench.state(), State::half_open);
  EXPECT_TRUE(bench.health.admit(bench.now));
}

TEST(Health, a_probe_that_succeeds_while_it_cools_frees_its_place) {
  Bench bench;
  bench.eject();
  bench.now += 7s;
  bench.limited(2s);
  ASSERT_TRUE(bench.health.admit(bench.now)) << "all others are out";
  EXPECT_FALSE(bench.health.succeed(bench.now));
  bench.now += 2s;
  EXPECT_EQ(bench.standing(), Standing::stable);
  EXPECT_TRUE(bench.health.admit(bench.now));
}

TEST(Health, a_rate_limit_is_a_pause_and_no_outage) {
  Bench bench;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(bench.limited(2s));
  EXPECT_EQ(bench.state(), State::closed);
  EXPECT_EQ(bench.standing(), Standing::cooling);
  bench.now += 2s;
  EXPECT_EQ(bench.standing(), Standing::stable);
}

TEST(Health, rate_limits_without_a_hint_wait_longer_each_time) {
  Bench bench;
  std::chrono::milliseconds expected = Health::kShortCooling;
  for (int round = 0; round < 10; ++round) {
    bench.limited();
    const auto until = bench.health.snapshot(bench.now).until;
    EXPECT_GE(until - bench.now, expected * 4 / 5);
    EXPECT_LE(until - bench.now, expected * 6 / 5);
    bench.now = until;
    expected = std::min<std::chrono::milliseconds>(expected * 2, Health::kLongestCooling);
  }
  bench.health.succeed(bench.now);
  bench.limited();
  EXPECT_LE(bench.health.snapshot(bench.now).until - bench.now, Health::kShortCooling * 6 / 5);
}

// FAULTS 31: each outcome in each state.
TEST(Health, the_table) {
  struct Row {
    State from;
    ErrorCode outcome;
    State to;
    Standing standing;
  };
  using enum ErrorCode;
  const Row rows[] = {
      {State::closed, upstream_error, State::closed, Standing::unsteady},
      {State::closed, upstream_timeout, State::closed, Standing::unsteady},
      {State::closed, upstream_unreachable, State::closed, Standing::unsteady},
      {State::closed, upstream_invalid_vector, State::closed, Standing::unsteady},
      {State::closed, upstream_rate_limited, State::closed, Standing::cooling},
      {State::closed, upstream_rejected, State::closed, Standing::stable},
      {State::closed, context_length_exceeded, State::closed, Standing::stable},
      {State::closed, overloaded, State::closed, Standing::stable},
      {State::closed, client_closed, State::closed, Standing::stable},
      {State::open, upstream_error, State::open, Standing::ejected},
      {State::open, upstream_rate_limited, State::open, Standing::ejected},
      {State::open, client_closed, State::open, Standing::ejected},
      {State::half_open, upstream_error, State::open, Standing::ejected},
      {State::half_open, upstream_rate_limited, State::half_open, Standing::cooling},
      {State::half_open, upstream_rejected, State::half_open, Standing::stable},
      {State::half_open, client_closed, State::half_open, Standing::stable},
  };
  for (const Row& row : rows) {
    Bench bench;
    if (row.from != State::closed) bench.eject();
    if (row.from == State::half_open) {
      bench.now += 7s;
      ASSERT_TRUE(bench.health.admit(bench.now));
    }
    ASSERT_EQ(bench.state(), row.from);
    bench.fail(row.outcome);
    const std::string what = std::string(name_of(row.from)) + " and " + std::string(traits(row.outcome).name);
    EXPECT_EQ(bench.state(), row.to) << what;
    EXPECT_EQ(bench.standing(), row.standing) << what;
  }
}

}  // namespace
}  // namespace embedrouter::routing
