#include <gtest/gtest.h>

#include <map>

#include "routing/select.h"
#include "routing/test_market.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::routing {
namespace {

using namespace std::chrono_literals;
using testing::ScriptedEmbedder;
using testing::TextRequest;

struct Bench {
  explicit Bench(const testing::Offers& endpoints) {
    catalog::Config config = testing::market(endpoints, "alias");
    for (catalog::ProviderConfig& provider : config.providers) provider.name = "The " + provider.slug;
    for (catalog::EndpointConfig& endpoint : config.models.front().endpoints) endpoint.max_batch_items = 2;
    catalog = *catalog::Catalog::build(config, nullptr);
    std::vector<Route> routes;
    for (const catalog::Endpoint& endpoint : catalog->find("test/model")->endpoints) {
      auto scripted = std::make_unique<ScriptedEmbedder>();
      upstreams.push_back(scripted.get());
      routes.push_back({&endpoint, std::move(scripted), &states[endpoint.provider_slug]});
    }
    selector = std::make_unique<Selector>(*catalog, std::move(routes), clock);
  }
  // "a:1 b:2 c:provider.ignore": the place, or what dropped it.
  std::string explain(const TextRequest& texts, std::string_view pinned = "") {
    auto result = selector->explain(texts.request, pinned);
    if (!result) return std::string(traits(result.error().code()).name);
    told = *std::move(result);
    std::string story;
    for (const api::ExplainedEndpoint& endpoint : told.endpoints) {
      story += std::string(endpoint.provider_slug) + ":" +
               (endpoint.place ? std::to_string(*endpoint.place) : endpoint.dropped_by) + " ";
    }
    return story;
  }
  void fail(const std::string& slug, ErrorCode code, int times) {
    for (int i = 0; i < times; ++i) {
      const Error error(code, "as the test says");
      states[slug].statistics.add_error(clock.now(), error);
      states[slug].health.fail(clock.now(), error, {}, random);
    }
  }

  ManualClock clock;
  Random random{5};
  std::map<std::string, EndpointState> states;
  std::shared_ptr<const catalog::Catalog> catalog;
  std::vector<ScriptedEmbedder*> upstreams;
  std::unique_ptr<Selector> selector;
  api::Explanation told;
};

TEST(Explain, tells_places_and_shares_and_sends_nothing) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(bench.explain(TextRequest({"x", "y", "z"})), "a:1 b:2 ");
  EXPECT_EQ(bench.told.model, "test/model");
  EXPECT_EQ(bench.told.strategy, "balanced");
  EXPECT_EQ(bench.told.items, 3U);
  EXPECT_FALSE(bench.told.fault);
  EXPECT_NEAR(*bench.told.endpoints[0].share, 0.8, 1e-9) << "1/price²: 1 to 1/4";
  EXPECT_NEAR(*bench.told.endpoints[1].share, 0.2, 1e-9);
  EXPECT_EQ(bench.told.endpoints[0].calls, 2U) << "three texts, two a call";
  EXPECT_EQ(bench.told.endpoints[0].provider, "The a");
  EXPECT_EQ(bench.told.endpoints[0].price_prompt, "0.000001");
  for (const ScriptedEmbedder* upstream : bench.upstreams) EXPECT_TRUE(upstream->asked.empty());
}

TEST(Explain, names_what_dropped_each) {
  Bench bench({{"a", "s"}, {"b", "s"}, {"c", "t"}});
  TextRequest texts({"x"});
  api::ProviderPreferences wish;
  wish.ignore = {"a"};
  texts.request.provider = &wish;
  EXPECT_EQ(bench.explain(texts), "b:1 a:provider.ignore c:space ");
  EXPECT_EQ(bench.told.endpoints[1].why, "it is among the ignored providers");
  EXPECT_NE(bench.told.endpoints[2].why, "");
  EXPECT_FALSE(bench.told.endpoints[1].share);
  EXPECT_EQ(bench.explain(texts, "t"), "c:1 a:provider.ignore b:X-Embedrouter-Space ");
}

TEST(Explain, a_request_nobody_may_answer_is_explained_with_its_failure) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  TextRequest texts({"x"});
  api::ProviderPreferences wish;
  wish.has_only = true;
  wish.only = {"c"};
  texts.request.provider = &wish;
  EXPECT_EQ(bench.explain(texts), "a:provider.only b:provider.only ");
  ASSERT_TRUE(bench.told.fault);
  EXPECT_EQ(bench.told.fault->code(), ErrorCode::no_endpoint);
  EXPECT_EQ(bench.explain(TextRequest({"x"}), "elsewhere"), "a:X-Embedrouter-Space b:X-Embedrouter-Space ");
  EXPECT_EQ(bench.told.fault->code(), ErrorCode::space_mismatch);
  EXPECT_EQ(bench.explain(TextRequest({"x"}, "test/absent")), "model_not_found");
}

TEST(Explain, says_how_the_endpoints_are) {
  Bench bench({{"a", "s"}, {"b", "s"}, {"c", "s"}});
  bench.fail("a", ErrorCode::upstream_error, 3);
  bench.fail("b", ErrorCode::upstream_rate_limited, 2);
  bench.states["c"].statistics.add_success(bench.clock.now(), 20ms, 5);
  EXPECT_EQ(bench.explain(TextRequest({"x"})), "c:1 b:2 a:3 ");
  const auto& [c, b, a] = std::tie(bench.told.endpoints[0], bench.told.endpoints[1], bench.told.endpoints[2]);
  EXPECT_EQ(std::string(c.state) + " " + std::string(c.standing), "closed stable");
  EXPECT_EQ(c.share, 1.0);
  EXPECT_FALSE(c.seconds_left);
  EXPECT_NEAR(*c.latency_ms, 20, 2);
  EXPECT_EQ(std::string(b.state) + " " + std::string(b.standing), "closed cooling");
  EXPECT_EQ(b.rate_limited, 2U);
  EXPECT_EQ(b.share, 0.0);
  ASSERT_TRUE(b.seconds_left);
  EXPECT_EQ(std::string(a.state) + " " + std::string(a.standing), "open ejected");
  EXPECT_EQ(a.failures, 3U);
  ASSERT_TRUE(a.seconds_left);
  EXPECT_GT(*a.seconds_left, 3.9);
  EXPECT_LT(*a.seconds_left, 6.1);
  bench.clock.advance(7s);
  bench.explain(TextRequest({"x"}));
  EXPECT_TRUE(bench.states["a"].health.admit(bench.clock.now())) << "to explain is not to ask";
}

TEST(Explain, shows_the_standing_that_counts_where_too_many_are_out) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.fail("a", ErrorCode::upstream_error, 3);
  bench.clock.advance(3s);
  bench.fail("b", ErrorCode::upstream_error, 3);
  EXPECT_EQ(bench.explain(TextRequest({"x"})), "a:1 b:2 ");
  EXPECT_EQ(bench.told.endpoints[0].state, "open");
  EXPECT_EQ(bench.told.endpoints[0].standing, "unsteady") << "the one that returns first";
  EXPECT_EQ(bench.told.endpoints[1].standing, "ejected");
}

TEST(Explain, counts_the_calls_by_the_limits_now_in_force) {
  Bench bench({{"a", "s"}});
  bench.states["a"].learned.lower_items(1, bench.clock.now());
  bench.explain(TextRequest({"x", "y", "z"}));
  EXPECT_EQ(bench.told.endpoints[0].max_batch_items, 1U) << "it refused two";
  EXPECT_EQ(bench.told.endpoints[0].calls, 3U);
}

TEST(Explain, a_strategy_without_chance_and_one_without_fallbacks_say_so) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  const TextRequest cheapest({"x"}, "alias:floor");  // what is told views it
  EXPECT_EQ(bench.explain(cheapest), "a:1 b:2 ");
  EXPECT_EQ(bench.told.strategy, "price");
  EXPECT_EQ(bench.told.requested, "alias:floor");
  EXPECT_EQ(bench.told.endpoints[0].share, 1.0);
  TextRequest texts({"x"});
  api::ProviderPreferences wish;
  wish.allow_fallbacks = false;
  texts.request.provider = &wish;
  bench.explain(texts);
  EXPECT_FALSE(bench.told.fallbacks);
  wish.has_order = true;
  wish.order = {"b"};
  EXPECT_EQ(bench.explain(texts), "b:1 a:provider.order ");
  EXPECT_EQ(bench.told.strategy, "order");
  EXPECT_TRUE(bench.told.fallbacks) << "within the order";
}

}  // namespace
}  // namespace embedrouter::routing
