#include "routing/router.h"

#include <gtest/gtest.h>

#include "routing/test_market.h"
#include "testing/run_task.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::routing {
namespace {

using testing::fails_with;
using testing::run_task;
using testing::ScriptedEmbedder;
using testing::TextRequest;

struct Bench {
  explicit Bench(const testing::Offers& endpoints) {
    wish.sort = api::Sort::price;  // not a draw
    const catalog::Config config = testing::market(endpoints, "alias");
    catalog = *catalog::Catalog::build(config, nullptr);
    std::vector<Route> routes;
    for (const catalog::Endpoint& endpoint : catalog->find("test/model")->endpoints) {
      auto scripted = std::make_unique<ScriptedEmbedder>();
      upstreams[endpoint.provider_slug] = scripted.get();
      routes.push_back({&endpoint, std::move(scripted), &states.of(endpoint.id)});
    }
    selector = std::make_unique<Selector>(*catalog, std::move(routes), clock);
    router = std::make_unique<Router>(
        *selector, clock, random,
        [this](const catalog::Endpoint& endpoint, const Health::Change& change, const Error*) {
          changes += endpoint.provider_slug + " " + std::string(name_of(change.to)) + " ";
        });
  }
  // Requests name the endpoints in this order, from now on.
  void prefer(std::vector<std::string_view> slugs) {
    wish.has_order = true;
    wish.order = std::move(slugs);
  }
  Result<api::EmbedReply> embed(const TextRequest& texts) {
    api::EmbedRequest request = texts.request;
    if (request.provider == nullptr) request.provider = &wish;
    return run_task(router->embed(request, call));
  }
  std::size_t calls(const std::string& slug) { return upstreams.at(slug)->asked.size(); }

  ManualClock clock;
  EndpointStates states;
  api::ProviderPreferences wish;
  std::string changes;
  Random random{5};
  std::shared_ptr<const catalog::Catalog> catalog;
  std::map<std::string, ScriptedEmbedder*> upstreams;
  std::unique_ptr<Selector> selector;
  std::unique_ptr<Router> router;
  embed::Call call{"gen-emb-1", clock.now() + std::chrono::hours(1)};
};

TEST(Router, answers_from_the_first_endpoint_and_charges_its_price) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  const TextRequest texts({"x", "y"});
  const auto reply = bench.embed(texts);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->usage.cost_pico_usd, 2 * 1'000'000);
  EXPECT_EQ(bench.calls("a"), 1U);
  EXPECT_EQ(bench.calls("b"), 0U);
}

TEST(Router, finds_aliases_and_routing_suffixes_but_no_unknown_model) {
  Bench bench({{"a", "s"}});
  for (const char* name : {"alias", "ALIAS", "test/model:floor", "test/model:nitro"}) {
    EXPECT_TRUE(bench.embed(TextRequest({"x"}, name))) << name;
  }
  for (const char* name : {"test/other", "test/model:online", ":floor", "test/model:floor:floor"}) {
    const auto reply = bench.embed(TextRequest({"x"}, name));
    ASSERT_FALSE(reply) << name;
    EXPECT_EQ(reply.error().code(), ErrorCode::model_not_found) << name;
  }
}

TEST(Router, asks_the_same_endpoint_once_more_where_that_may_help) {
  Bench bench({{"a", "s"}});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_error)};
  EXPECT_TRUE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 2U);
}

TEST(Router, another_endpoint_is_asked_before_the_same_once_more) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.prefer({"a", "b"});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_error)};
  bench.upstreams["b"]->script = {fails_with(ErrorCode::upstream_timeout)};
  EXPECT_TRUE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 2U);
  EXPECT_EQ(bench.calls("b"), 1U);
}

TEST(Router, an_endpoint_that_asks_for_a_long_wait_is_not_asked_again) {
  Bench bench({{"a", "s"}});
  bench.upstreams["a"]->script = {
      fails_with(Error(ErrorCode::upstream_overloaded, "busy").with_retry_after(std::chrono::seconds(30)))};
  EXPECT_FALSE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 1U);
}

TEST(Router, failures_of_several_kinds_are_one_503_with_the_shortest_wait) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.upstreams["a"]->script = {fails_with(
      Error(ErrorCode::upstream_rate_limited, "slow down").with_retry_after(std::chrono::seconds(7)))};
  bench.upstreams["b"]->script = {fails_with(ErrorCode::upstream_timeout)};
  const auto reply = bench.embed(TextRequest({"x"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::upstreams_failed);
  EXPECT_EQ(reply.error().retry_after(), std::chrono::seconds(7));
}

TEST(Router, rate_limits_everywhere_are_a_429_with_the_shortest_wait) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  for (const auto& [slug, seconds] : {std::pair{"a", 3}, std::pair{"b", 9}}) {
    bench.upstreams[slug]->script = {fails_with(Error(ErrorCode::upstream_rate_limited, "slow down")
                                                    .with_retry_after(std::chrono::seconds(seconds)))};
  }
  const auto reply = bench.embed(TextRequest({"x"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().http_status(), 429);
  EXPECT_EQ(reply.error().retry_after(), std::chrono::seconds(3));
}

TEST(Router, what_may_heal_is_told_before_what_will_not) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.prefer({"a", "b"});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_timeout)};
  bench.upstreams["b"]->script = {fails_with(ErrorCode::model_unavailable)};
  const auto reply = bench.embed(TextRequest({"x"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::upstream_timeout);
}

TEST(Router, an_endpoint_that_fails_again_and_again_is_asked_last_until_it_proves_itself) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.prefer({"a", "b"});
  for (int i = 0; i < 3; ++i) {
    bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_timeout)};
    ASSERT_TRUE(bench.embed(TextRequest({"x"})));
  }
  ASSERT_EQ(bench.changes, "a open ");
  bench.upstreams["a"]->script = {};
  ASSERT_TRUE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 3U) << "ejected";
  bench.clock.advance(std::chrono::seconds(7));
  ASSERT_TRUE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 4U) << "a probe that is a request";
  EXPECT_EQ(bench.changes, "a open a closed ");
}

TEST(Router, a_lone_endpoint_is_never_out) {
  Bench bench({{"a", "s"}});
  for (int i = 0; i < 20; ++i) {
    bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_timeout)};
    ASSERT_FALSE(bench.embed(TextRequest({"x"})));
  }
  EXPECT_EQ(bench.calls("a"), 20U);
  EXPECT_TRUE(bench.embed(TextRequest({"x"})));
}

TEST(Router, falls_back_within_the_space) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_rate_limited)};
  EXPECT_TRUE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 1U) << "a rate limit is not asked again";
  EXPECT_EQ(bench.calls("b"), 1U);
}

TEST(Router, never_falls_back_into_another_space) {
  Bench bench({{"a", "s"}, {"b", "t"}});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_error),
                                  fails_with(ErrorCode::upstream_error)};
  const auto reply = bench.embed(TextRequest({"x"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::no_equivalent_upstream);
  EXPECT_EQ(bench.calls("b"), 0U);
}

TEST(Router, fallback_stops_on_what_the_caller_must_mend) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_rejected)};
  const auto reply = bench.embed(TextRequest({"x"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().http_status(), 400);
  EXPECT_EQ(bench.calls("b"), 0U);
}

TEST(Router, without_fallbacks_only_the_first_endpoint_is_asked) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_rate_limited)};
  TextRequest texts({"x"});
  api::ProviderPreferences wish;
  wish.allow_fallbacks = false;
  texts.request.provider = &wish;
  const auto reply = bench.embed(texts);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::upstream_rate_limited);
  EXPECT_EQ(bench.calls("b"), 0U);
}

TEST(Router, stops_at_the_deadline) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.call.deadline = bench.clock.now();
  bench.upstreams["a"]->script = {fails_with(ErrorCode::upstream_timeout)};
  EXPECT_FALSE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("b"), 0U);
}

TEST(Router, a_pinned_space_is_kept_or_refused) {
  Bench bench({{"a", "s"}, {"b", "t"}});
  bench.call.pinned_space = "t";
  EXPECT_TRUE(bench.embed(TextRequest({"x"})));
  EXPECT_EQ(bench.calls("a"), 0U);
  bench.call.pinned_space = "elsewhere";
  const auto reply = bench.embed(TextRequest({"x"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().http_status(), 412);
}

// Answers all but `item`, which fails with `code`.
ScriptedEmbedder::Step all_but(ScriptedEmbedder& inner, std::uint32_t item, ErrorCode code) {
  return [&inner, item, code](const api::EmbedRequest& request) {
    api::EmbedReply reply = inner.good(request);
    reply.usage.prompt_tokens -= 1;
    reply.failed.push_back({item, Error(code, "as the script says")});
    return reply;
  };
}

void expect_right(const api::EmbedReply& reply, const std::vector<std::string>& texts) {
  ASSERT_EQ(reply.data.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (std::ranges::find(reply.failed, i, &api::FailedItem::item) != reply.failed.end()) continue;
    EXPECT_EQ(reply.data[i].index, static_cast<std::int64_t>(i));
    EXPECT_TRUE(std::ranges::equal(std::get<std::span<const float>>(reply.data[i].vector),
                                   testing::vector_of(texts[i], 8)));
  }
}

TEST(Router, what_is_answered_stays_answered_and_only_the_rest_goes_on) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.prefer({"a", "b"});
  bench.upstreams["a"]->script = {all_but(*bench.upstreams["a"], 1, ErrorCode::upstream_error)};
  const auto reply = bench.embed(TextRequest({"x", "y", "z"}));
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(bench.upstreams["b"]->asked, std::vector<std::vector<std::string>>{{"y"}});
  expect_right(*reply, {"x", "y", "z"});
  EXPECT_TRUE(reply->failed.empty());
  EXPECT_EQ(reply->usage.prompt_tokens, 3U);
  EXPECT_EQ(reply->usage.cost_pico_usd, 2 * 1'000'000 + 2'000'000);
}

TEST(Router, a_failed_item_is_tried_again_alone) {
  Bench bench({{"a", "s"}});
  bench.upstreams["a"]->script = {all_but(*bench.upstreams["a"], 2, ErrorCode::upstream_error)};
  const auto reply = bench.embed(TextRequest({"x", "y", "z"}));
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(bench.upstreams["a"]->asked.back(), std::vector<std::string>{"z"});
  expect_right(*reply, {"x", "y", "z"});
}

TEST(Router, in_part_what_failed_everywhere_is_listed_with_its_error) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  bench.prefer({"a", "b"});
  bench.upstreams["a"]->script = {all_but(*bench.upstreams["a"], 1, ErrorCode::upstream_timeout)};
  bench.upstreams["b"]->script = {fails_with(ErrorCode::upstream_timeout)};
  TextRequest texts({"x", "y", "z"});
  texts.request.partial = true;
  const auto reply = bench.embed(texts);
  ASSERT_TRUE(reply) << reply.error().message();
  ASSERT_EQ(reply->failed.size(), 1U);
  EXPECT_EQ(reply->failed[0].item, 1U);
  EXPECT_EQ(reply->failed[0].error.code(), ErrorCode::upstream_timeout);
  expect_right(*reply, {"x", "y", "z"});
}

ScriptedEmbedder::Step useless_vector(std::uint32_t item) {
  return fails_with(Error(ErrorCode::upstream_invalid_vector,
                          "the provider's vector for input[" + std::to_string(item) + "] is all zeros")
                        .with_item(item));
}

TEST(Router, A8_a_fault_that_follows_one_item_to_every_endpoint_is_a_400_that_names_it) {
  for (const bool partial : {false, true}) {
    Bench bench({{"a", "s"}, {"b", "s"}});
    bench.prefer({"a", "b"});
    bench.upstreams["a"]->script = {useless_vector(1), useless_vector(1)};
    bench.upstreams["b"]->script = {useless_vector(1)};
    TextRequest texts({"x", "y", "z"});
    texts.request.partial = partial;
    const auto reply = bench.embed(texts);
    EXPECT_EQ(bench.upstreams["a"]->asked.back(), (std::vector<std::string>{"x", "z"}));
    ASSERT_EQ(reply.has_value(), partial);
    const Error& error = partial ? reply->failed.at(0).error : reply.error();
    EXPECT_EQ(error.http_status(), 400);
    EXPECT_EQ(error.param(), "input[1]");
    if (partial) expect_right(*reply, {"x", "y", "z"});
  }
}

TEST(Router, A8_an_endpoint_that_spoils_another_item_without_it_is_at_fault_itself) {
  Bench bench({{"a", "s"}});
  bench.upstreams["a"]->script = {useless_vector(2), useless_vector(2), useless_vector(1)};
  const auto reply = bench.embed(TextRequest({"x", "y", "z"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().http_status(), 502);
  EXPECT_EQ(bench.calls("a"), 3U);
}

TEST(Router, tells_which_endpoints_could_answer_and_what_took_out_the_others) {
  Bench bench({{"a", "s"}, {"b", "t"}, {"c", "s"}, {"d", "s"}});
  TextRequest texts({"x"});
  api::ProviderPreferences wish;
  wish.ignore = {"a"};
  wish.has_order = true;
  wish.order = {"d"};
  texts.request.provider = &wish;
  ASSERT_TRUE(bench.embed(texts));
  std::string story;
  for (const embed::CandidateRecord& c : bench.call.candidates)
    story += std::string(c.provider) + ":" + c.excluded_by + " ";
  EXPECT_EQ(story, "d: c: a:provider.ignore b:space ");
}

}  // namespace
}  // namespace embedrouter::routing
