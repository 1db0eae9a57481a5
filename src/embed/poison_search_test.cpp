#include "embed/poison_search.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <numeric>
#include <set>

namespace embedrouter::embed {
namespace {

using Items = std::vector<std::uint32_t>;
using Refuses = std::function<bool(const Items&)>;

Items first(std::uint32_t n) {
  Items items(n);
  std::iota(items.begin(), items.end(), 0U);
  return items;
}

struct Found {
  Items culprits, left;
  std::set<std::uint32_t> answered;
  std::size_t calls = 0, too_many_above = 0;
  bool unexplained = false;
};

Found find(std::uint32_t n, bool all, const Refuses& refuses) {
  const Error error(ErrorCode::upstream_rejected, "no");
  PoisonSearch search(first(n), error, all);
  Found found;
  while (!search.next().empty()) {
    ++found.calls;
    const Items probe = search.next();
    if (refuses(probe)) {
      search.refused(error);
    } else {
      for (const std::uint32_t item : probe)
        EXPECT_TRUE(found.answered.insert(item).second) << "no item is asked for again once answered";
      search.answered();
    }
  }
  for (const auto& culprit : search.culprits()) found.culprits.push_back(culprit.first);
  found.left = search.left();
  found.too_many_above = search.too_many_above();
  found.unexplained = search.unexplained().has_value();
  return found;
}

Refuses holds(std::set<std::uint32_t> poison) {
  return [poison = std::move(poison)](const Items& items) {
    return std::ranges::any_of(items, [&](std::uint32_t item) { return poison.contains(item); });
  };
}

// ⌈log2 n⌉ + 1
std::size_t most_calls(std::uint32_t n) {
  return static_cast<std::size_t>(std::bit_width(n - 1)) + 1;
}

TEST(PoisonSearch, finds_the_one_item_wherever_it_is_and_the_others_are_answered) {
  for (const std::uint32_t n : {2U, 3U, 5U, 8U, 31U, 64U, 96U}) {
    for (std::uint32_t poison = 0; poison < n; ++poison) {
      const Found found = find(n, true, holds({poison}));
      EXPECT_EQ(found.culprits, Items{poison}) << n;
      EXPECT_EQ(found.answered.size(), n - 1) << n << " " << poison;
      EXPECT_TRUE(found.left.empty());
      EXPECT_LE(found.calls, most_calls(n)) << n << " " << poison;
    }
  }
}

TEST(PoisonSearch, alone_it_ends_with_the_first_culprit) {
  for (const std::uint32_t n : {2U, 3U, 64U, 96U, 2048U}) {
    for (std::uint32_t poison = 0; poison < n; poison += 1 + n / 50) {
      const Found found = find(n, false, holds(n < 4 ? std::set{poison} : std::set{poison, n - 1}));
      EXPECT_EQ(found.culprits, Items{poison}) << n;
      EXPECT_LE(found.calls, most_calls(n)) << n << " " << poison;
    }
  }
}

TEST(PoisonSearch, the_likeliest_first_is_found_with_one_call_less) {
  const Found found = find(96, true, holds({0}));
  EXPECT_EQ(found.culprits, Items{0});
  EXPECT_EQ(found.calls, 7U) << "log2(96) is 6.6";
}

TEST(PoisonSearch, finds_several) {
  for (const auto& poison : {std::set<std::uint32_t>{3, 40}, {0, 1}, {0, 63}, {62, 63}, {10, 20, 30}}) {
    const Found found = find(64, true, holds(poison));
    EXPECT_EQ(std::set(found.culprits.begin(), found.culprits.end()), poison);
    EXPECT_EQ(found.answered.size(), 64 - poison.size());
    EXPECT_TRUE(found.left.empty());
  }
}

TEST(PoisonSearch, who_refuses_everything_has_nothing_against_one_item) {
  for (const bool all : {false, true}) {
    const Found found = find(64, all, [](const Items&) { return true; });
    EXPECT_TRUE(found.culprits.empty());
    EXPECT_TRUE(found.unexplained);
    EXPECT_EQ(found.left, first(64));
    EXPECT_LE(found.calls, 2 * most_calls(64));
  }
}

TEST(PoisonSearch, who_refuses_too_many_at_a_time_has_nothing_against_one_item) {
  for (const bool all : {false, true}) {
    for (const std::uint32_t most : {1U, 2U, 10U, 47U, 48U, 95U}) {
      const Found found = find(96, all, [&](const Items& items) { return items.size() > most; });
      EXPECT_TRUE(found.culprits.empty()) << most;
      EXPECT_GT(found.too_many_above, 0U) << most;
      EXPECT_LE(found.too_many_above, most);
      EXPECT_EQ(found.answered.size() + found.left.size(), 96U);
    }
  }
}

TEST(PoisonSearch, many_culprits_cost_a_bounded_number_of_calls) {
  const Found found = find(2048, true, [](const Items& items) {
    return std::ranges::any_of(items, [](std::uint32_t item) { return item % 2 == 0; });
  });
  EXPECT_LE(found.calls, 4 * most_calls(2048) + 4);
  EXPECT_FALSE(found.culprits.empty());
  EXPECT_TRUE(found.unexplained);
  EXPECT_EQ(found.culprits.size() + found.answered.size() + found.left.size(), 2048U);
}

}  // namespace
}  // namespace embedrouter::embed
