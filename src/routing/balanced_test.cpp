#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "routing/strategies.h"

namespace embedrouter::routing {
namespace {

using namespace std::chrono_literals;

constexpr int kDraws = 100'000;

// Endpoints a, b, c … with the prices given.
struct Bench {
  explicit Bench(const std::vector<std::int64_t>& prices) {
    for (const std::int64_t price : prices) {
      catalog::Endpoint& endpoint = endpoints.emplace_back();
      endpoint.provider_slug = std::string(1, static_cast<char>('a' + endpoints.size() - 1));
      endpoint.pico_usd_per_token = price;
      candidates.push_back({&endpoint, nullptr, &states.emplace_back()});
    }
  }
  std::vector<double> shares() const { return balanced_shares(candidates, now); }
  // How often each order came.
  std::map<std::string, int> draws() {
    std::map<std::string, int> counts;
    for (int i = 0; i < kDraws; ++i) {
      std::vector<Candidate> list = candidates;
      arrange_balanced(list, {now, random});
      std::string names;
      for (const Candidate& c : list) names += c.endpoint->provider_slug;
      ++counts[names];
    }
    return counts;
  }
  // Chi-squared of the drawn places against shares, drawn without putting back.
  double chi_squared(const std::vector<double>& share) {
    double sum = 0;
    std::map<std::string, int> counts = draws();
    std::string names;
    for (std::size_t i = 0; i < share.size(); ++i) names += static_cast<char>('a' + i);
    do {
      double expected = kDraws, left = 1;
      for (const char name : names) {
        expected *= share[static_cast<std::size_t>(name - 'a')] / left;
        left -= share[static_cast<std::size_t>(name - 'a')];
        if (left < 1e-12) break;
      }
      const double off = counts[names] - expected;
      sum += off * off / expected;
    } while (std::ranges::next_permutation(names).found);
    return sum;
  }

  Random random{20'261'125};
  std::chrono::steady_clock::time_point now{1h};
  std::deque<catalog::Endpoint> endpoints;
  std::deque<EndpointState> states;
  std::vector<Candidate> candidates;
};

void expect_near(const std::vector<double>& shares, const std::vector<double>& expected) {
  ASSERT_EQ(shares.size(), expected.size());
  for (std::size_t i = 0; i < shares.size(); ++i) EXPECT_NEAR(shares[i], expected[i], 1e-9) << i;
}

TEST(Balanced, the_inverse_square_of_the_price) {
  expect_near(Bench({10, 30}).shares(), {0.9, 0.1});
  expect_near(Bench({1, 2, 2}).shares(), {4.0 / 6, 1.0 / 6, 1.0 / 6});
}

TEST(Balanced, the_example_of_the_contract) {
  Bench bench({1, 2, 3});
  bench.candidates[1].standing = Standing::unsteady;
  expect_near(bench.shares(), {0.9, 0, 0.1});
  const auto counts = bench.draws();
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_NEAR(counts.at("acb"), 0.9 * kDraws, 500);
  EXPECT_NEAR(counts.at("cab"), 0.1 * kDraws, 500);
}

TEST(Balanced, everybody_keeps_a_least_share) {
  expect_near(Bench({1, 100}).shares(), {0.98, 0.02});
  expect_near(Bench({0, 5, 0}).shares(), {0.49, 0.02, 0.49});
  double sum = 0;
  for (const double share : Bench(std::vector<std::int64_t>(40, 7)).shares()) sum += share;
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(Balanced, slower_endpoints_get_less) {
  Bench bench({5, 5});
  for (int i = 0; i < 20; ++i) {
    bench.states[0].statistics.add_success(bench.now, 100ms, 10);
    bench.states[1].statistics.add_success(bench.now, 400ms, 10);
  }
  const auto shares = bench.shares();
  EXPECT_NEAR(shares[0], 0.8, 0.02);
  for (int i = 0; i < 100; ++i) bench.states[1].statistics.add_success(bench.now, 60s, 10);
  EXPECT_NEAR(bench.shares()[0], 10.0 / 11, 0.01) << "no more than ten times slower counts";
}

TEST(Balanced, failures_and_rate_limits_cost_a_share_and_are_forgotten) {
  Bench bench({5, 5, 5});
  for (int i = 0; i < 10; ++i) {
    for (auto& state : bench.states) state.statistics.add_success(bench.now, 100ms, 10);
    bench.states[1].statistics.add_error(bench.now, Error(ErrorCode::upstream_error, "broken"));
    bench.states[2].statistics.add_error(bench.now, Error(ErrorCode::upstream_rate_limited, "slow down"));
  }
  // 1, (1/2)², (3/4)²
  const double sum = 1 + 0.25 + 0.5625;
  expect_near(bench.shares(), {1 / sum, 0.25 / sum, 0.5625 / sum});
  bench.now += 6min;
  expect_near(bench.shares(), {1.0 / 3, 1.0 / 3, 1.0 / 3});
}

// The bounds are the 99.9th percentiles of chi-squared with n! - 1 degrees of freedom.
TEST(Balanced, a_hundred_thousand_draws_match_the_shares) {
  for (const auto& [prices, bound] :
       std::vector<std::pair<std::vector<std::int64_t>, double>>{{{10, 30}, 10.83},
                                                                 {{1, 2, 3}, 20.52},
                                                                 {{7, 7, 7}, 20.52},
                                                                 {{0, 0, 5}, 20.52},
                                                                 {{2, 3, 4, 5}, 49.73}}) {
    Bench bench(prices);
    EXPECT_LT(bench.chi_squared(bench.shares()), bound) << prices.size();
  }
}

TEST(Balanced, the_test_of_the_draws_can_fail) {
  Bench bench({1, 2, 3});
  EXPECT_GT(bench.chi_squared({0.70, 0.20, 0.10}), 20.52);
}

TEST(Balanced, worse_standings_come_later_whatever_they_cost) {
  Bench bench({1, 1, 1, 1});
  bench.candidates[0].standing = Standing::ejected;
  bench.candidates[1].standing = Standing::cooling;
  bench.candidates[2].standing = Standing::unsteady;
  const auto counts = bench.draws();
  EXPECT_EQ(counts.at("dcba"), kDraws);
  expect_near(bench.shares(), {0, 0, 0, 1});
}

}  // namespace
}  // namespace embedrouter::routing
