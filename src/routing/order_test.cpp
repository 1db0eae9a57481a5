#include "routing/order.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "base/random.h"

namespace embedrouter::routing {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

// Endpoints a, b, c … with the prices given.
struct Bench {
  explicit Bench(const std::vector<std::int64_t>& prices) {
    for (const std::int64_t price : prices) {
      catalog::Endpoint& endpoint = endpoints.emplace_back();
      endpoint.provider_slug = std::string(1, static_cast<char>('a' + endpoints.size() - 1));
      endpoint.provider_name = endpoint.provider_slug;
      endpoint.pico_usd_per_token = price;
      endpoint.space = "s";
      candidates.push_back({&endpoint, nullptr, &states.emplace_back()});
    }
  }
  std::string ordered(const api::ProviderPreferences* wish = nullptr, api::Sort suffix = api::Sort::none) {
    std::vector<Candidate> list = candidates;
    order(list, wish, suffix, {now, random});
    std::string names;
    for (const Candidate& c : list) names += c.endpoint->provider_slug;
    return names;
  }

  Time now{1h};
  Random random{7};
  std::deque<catalog::Endpoint> endpoints;
  std::deque<EndpointState> states;
  std::vector<Candidate> candidates;
  api::ProviderPreferences wish;
};

TEST(Order, cheapest_first_with_ties_as_in_the_catalog) {
  Bench bench({3, 1, 2, 1});
  bench.wish.sort = api::Sort::price;
  EXPECT_EQ(bench.ordered(&bench.wish), "bdca");
  EXPECT_EQ(bench.ordered(nullptr, api::Sort::price), "bdca");
}

TEST(Order, the_space_is_the_first_in_the_configuration_whatever_is_cheap_or_sound) {
  Bench bench({9, 1, 9});
  bench.endpoints[1].space = "t";
  for (int i = 0; i < 3; ++i)
    bench.states[0].health.fail(bench.now, Error(ErrorCode::upstream_error, "broken"), {}, bench.random);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(bench.ordered(), "cab");
  bench.wish.sort = api::Sort::price;
  EXPECT_EQ(bench.ordered(&bench.wish).front(), 'b') << "asked for by the caller";
  bench.wish.has_order = true;
  bench.wish.order = {"c"};
  EXPECT_EQ(bench.ordered(&bench.wish), "cab");
}

TEST(Order, at_most_half_of_a_space_is_ejected) {
  Bench bench({1, 2, 3, 4});
  bench.wish.sort = api::Sort::price;
  for (std::size_t i : {0U, 1U, 2U}) {
    for (int n = 0; n < 3; ++n)
      bench.states[i].health.fail(bench.now, Error(ErrorCode::upstream_error, "broken"), {}, bench.random);
    bench.now += std::chrono::seconds(1);  // so that a returns first
  }
  EXPECT_EQ(bench.ordered(&bench.wish), "adbc");
}

TEST(Order, with_all_of_them_out_all_are_asked) {
  Bench bench({1, 2});
  bench.wish.sort = api::Sort::price;
  for (auto& state : bench.states) {
    for (int n = 0; n < 3; ++n)
      state.health.fail(bench.now, Error(ErrorCode::upstream_error, "broken"), {}, bench.random);
  }
  std::string names = bench.ordered(&bench.wish);
  std::ranges::sort(names);
  EXPECT_EQ(names, "ab");
}

TEST(Order, those_named_come_first_and_the_rest_as_usual) {
  Bench bench({3, 1, 2, 1});
  bench.wish.has_order = true;
  bench.wish.order = {"c", "unknown", "A"};
  EXPECT_EQ(bench.ordered(&bench.wish), "cabd");
}

TEST(Order, sorts_by_what_was_measured_and_puts_the_unmeasured_last) {
  Bench bench({1, 1, 1});
  bench.states[1].statistics.add_success(bench.now, 200ms, 1000);
  bench.states[2].statistics.add_success(bench.now, 100ms, 100);
  bench.wish.sort = api::Sort::latency;
  EXPECT_EQ(bench.ordered(&bench.wish), "cba");
  bench.wish.sort = api::Sort::throughput;
  EXPECT_EQ(bench.ordered(&bench.wish), "bca");
}

TEST(Order, an_explicit_sort_wins_over_the_suffix) {
  Bench bench({2, 1});
  bench.states[0].statistics.add_success(bench.now, 1ms, 1000);
  EXPECT_EQ(bench.ordered(nullptr, api::Sort::throughput), "ab");
  bench.wish.sort = api::Sort::price;
  EXPECT_EQ(bench.ordered(&bench.wish, api::Sort::throughput), "ba");
}

TEST(Order, endpoints_that_miss_a_threshold_go_last) {
  Bench bench({1, 2, 3});
  bench.states[0].statistics.add_success(bench.now, 2s, 100);
  bench.states[1].statistics.add_success(bench.now, 100ms, 100);
  bench.wish.preferred_max_latency.p50 = 1.0;
  bench.wish.sort = api::Sort::price;
  EXPECT_EQ(bench.ordered(&bench.wish), "bca");
  bench.wish.preferred_max_latency = {};
  bench.wish.preferred_min_throughput.p90 = 500;
  EXPECT_EQ(bench.ordered(&bench.wish), "bca");
}

TEST(Order, what_is_older_than_five_minutes_does_not_count) {
  Bench bench({1, 2});
  bench.states[0].statistics.add_success(bench.now, 2s, 100);
  bench.wish.preferred_max_latency.p50 = 1.0;
  EXPECT_EQ(bench.ordered(&bench.wish), "ba");
  bench.now += 6min;
  bench.wish.sort = api::Sort::price;
  EXPECT_EQ(bench.ordered(&bench.wish), "ab");
}

TEST(Order, is_always_a_permutation) {
  Random random(11);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int64_t> prices(1 + random.below(6));
    for (auto& price : prices) price = static_cast<std::int64_t>(random.below(3));
    Bench bench(prices);
    for (auto& s : bench.states) {
      if (random.below(2) == 0)
        s.statistics.add_success(bench.now, std::chrono::milliseconds(1 + random.below(100)),
                                 random.below(1000));
    }
    bench.wish.sort = static_cast<api::Sort>(random.below(4));
    bench.wish.has_order = random.below(2) == 0;
    if (bench.wish.has_order) bench.wish.order = {"b"};
    std::string names = bench.ordered(&bench.wish);
    std::ranges::sort(names);
    EXPECT_EQ(names, std::string("abcdef").substr(0, prices.size()));
  }
}

TEST(Order, what_is_expected_is_what_is_drawn) {
  Bench bench({10, 20, 15, 40});
  bench.endpoints[3].space = "t";
  for (int i = 0; i < 20; ++i) {
    bench.states[0].statistics.add_success(bench.now, 300ms, 10);
    bench.states[1].statistics.add_success(bench.now, 100ms, 10);
    bench.states[2].statistics.add_success(bench.now, 2s, 10);
  }
  api::ProviderPreferences quick;
  quick.preferred_max_latency.p50 = 1;  // c misses it
  for (const api::ProviderPreferences* wish : {static_cast<const api::ProviderPreferences*>(nullptr),
                                               static_cast<const api::ProviderPreferences*>(&quick)}) {
    constexpr int kDraws = 20'000;
    std::map<std::string, int> first;
    for (int i = 0; i < kDraws; ++i) ++first[bench.ordered(wish).substr(0, 1)];
    std::vector<Candidate> list = bench.candidates;
    const auto shares = expected_order(list, wish, api::Sort::none, bench.now);
    double sum = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      sum += shares[i];
      EXPECT_NEAR(shares[i], first[list[i].endpoint->provider_slug] / double{kDraws}, 0.015)
          << list[i].endpoint->provider_slug;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_GT(shares[0], shares[1]) << "the likelier first";
    EXPECT_EQ(list.back().endpoint->provider_slug, "d") << "of another space";
    EXPECT_EQ(shares[2] == 0, wish != nullptr) << "what misses a threshold is a fallback";
  }
}

TEST(Order, without_chance_the_first_has_all) {
  Bench bench({3, 1, 2});
  for (int i = 0; i < 3; ++i)
    bench.states[1].health.fail(bench.now, Error(ErrorCode::upstream_error, "broken"), {}, bench.random);
  std::vector<Candidate> list = bench.candidates;
  EXPECT_EQ(expected_order(list, nullptr, api::Sort::price, bench.now), (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(
      list[0].endpoint->provider_slug + list[1].endpoint->provider_slug + list[2].endpoint->provider_slug,
      "cab");
}

}  // namespace
}  // namespace embedrouter::routing
