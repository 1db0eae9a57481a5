#include "embed/attempt.h"

#include <gtest/gtest.h>

#include "embed/split.h"
#include "testing/run_task.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::embed {
namespace {

using testing::run_task;
using testing::ScriptedEmbedder;
using testing::TextRequest;
using testing::vector_of;

struct Bench {
  explicit Bench(std::uint32_t concurrency = 8) {
    auto scripted = std::make_unique<ScriptedEmbedder>();
    inner = scripted.get();
    AttemptOptions options;
    options.endpoint = "test/model@fake";
    options.provider = "Fake";
    options.contract = {8};
    options.max_concurrency = concurrency;
    attempt = std::make_unique<Attempt>(std::move(scripted), options, statistics, clock, metrics);
  }
  Result<api::EmbedReply> embed(const TextRequest& texts) {
    return run_task(attempt->embed(texts.request, call));
  }

  ManualClock clock;
  EndpointStatistics statistics;
  Metrics metrics;
  ScriptedEmbedder* inner = nullptr;
  std::unique_ptr<Attempt> attempt;
  Call call{"gen-emb-1", std::chrono::steady_clock::time_point::max()};
};

TEST(Attempt, answers_and_records) {
  Bench bench;
  const TextRequest texts({"alpha", "beta"});
  const auto reply = bench.embed(texts);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->provider, "Fake");
  ASSERT_EQ(bench.call.attempts.size(), 1U);
  EXPECT_TRUE(bench.call.attempts[0].ok);
  EXPECT_NE(bench.metrics.render().find(
                "embedrouter_attempts_total{endpoint=\"test/model@fake\",outcome=\"ok\"} 1"),
            std::string::npos);
}

TEST(Attempt, counts_for_its_endpoint_as_it_ended) {
  Bench bench;
  bench.inner->script = {testing::fails_with(ErrorCode::upstream_error),
                         testing::fails_with(ErrorCode::upstream_rate_limited),
                         testing::fails_with(ErrorCode::upstream_rejected)};
  const TextRequest texts({"alpha"});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.embed(texts).has_value(), i >= 3);
  const auto counts = bench.statistics.counts(bench.clock.now(), std::chrono::seconds(30));
  EXPECT_EQ(counts.successes, 2U);
  EXPECT_EQ(counts.failures, 1U);
  EXPECT_EQ(counts.rate_limited, 1U);
}

TEST(Attempt, keeps_the_status_and_the_code_of_the_provider) {
  Bench bench;
  bench.inner->script = {[](const api::EmbedRequest&) -> Result<api::EmbedReply> {
    return fail(
        Error(ErrorCode::upstream_unauthorized, "m").with_provider({}, "bad_key").with_upstream_status(403));
  }};
  const auto reply = bench.embed(TextRequest({"alpha"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().provider(), "Fake");
  EXPECT_EQ(reply.error().provider_code(), "bad_key");
  EXPECT_EQ(bench.call.attempts.front().status, 403);
}

TEST(Attempt, an_answer_that_fails_the_gate_is_a_failed_attempt_of_that_provider) {
  Bench bench;
  bench.inner->script.push_back([&](const api::EmbedRequest& request) {
    api::EmbedReply reply = bench.inner->good(request);
    reply.data.pop_back();
    return reply;
  });
  const TextRequest texts({"alpha", "beta"});
  const auto reply = bench.embed(texts);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::upstream_count_mismatch);
  EXPECT_EQ(reply.error().provider(), "Fake");
  ASSERT_EQ(bench.call.attempts.size(), 1U);
  EXPECT_FALSE(bench.call.attempts[0].ok);
}

TEST(Attempt, refuses_at_once_over_its_concurrency) {
  Bench bench(0);
  const TextRequest texts({"alpha"});
  const auto reply = bench.embed(texts);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::overloaded);
  EXPECT_TRUE(bench.inner->asked.empty());
}

// Both texts of the batch have the vector of the first.
ScriptedEmbedder::Step mixes_up() {
  return [](const api::EmbedRequest& request) {
    api::EmbedReply reply;
    for (std::int64_t i = 0; i < 2; ++i) {
      reply.data.push_back(testing::as_floats(reply, vector_of(request.items[0].text, 8), i));
    }
    return reply;
  };
}

TEST(Attempt, twins_that_differ_when_asked_alone_are_a_fault) {
  Bench bench;
  bench.inner->script.push_back(mixes_up());
  const TextRequest texts({"alpha", "beta"});
  const auto reply = bench.embed(texts);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::upstream_invalid_vector);
  EXPECT_EQ(bench.inner->asked.size(), 3U);
}

TEST(Attempt, twins_that_stay_the_same_alone_are_right) {
  Bench bench;
  const auto same = [](const api::EmbedRequest&) {
    api::EmbedReply reply;
    reply.data.push_back(testing::as_floats(reply, vector_of("I love 🍕", 8), 0));
    return reply;
  };
  bench.inner->script = {mixes_up(), same, same};
  const TextRequest texts({"I love 🍕", "I love 🚗"});
  const auto reply = bench.embed(texts);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->data.size(), 2U);
}

TEST(Split, sends_parts_within_the_limits_and_joins_them_in_order) {
  auto scripted = std::make_unique<ScriptedEmbedder>();
  ScriptedEmbedder* inner = scripted.get();
  Split split(std::move(scripted), BatchLimits{.items = 2, .tokens = 8});
  const TextRequest texts({"aaaa", "bbbb", "cccc", "dddddddddddd", "e", "f", "g"});
  Call call("gen-emb-1", std::chrono::steady_clock::time_point::max());
  const auto reply = run_task(split.embed(texts.request, call));
  ASSERT_TRUE(reply);
  const std::vector<std::vector<std::string>> parts{
      {"aaaa", "bbbb"}, {"cccc"}, {"dddddddddddd"}, {"e", "f"}, {"g"}};
  EXPECT_EQ(inner->asked, parts);
  ASSERT_EQ(reply->data.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(reply->data[i].index, static_cast<std::int64_t>(i));
    const auto values = std::get<std::span<const float>>(reply->data[i].vector);
    EXPECT_TRUE(std::ranges::equal(values, vector_of(texts.request.items[i].text, 8)));
  }
  EXPECT_EQ(reply->usage.prompt_tokens, 7U);
}

TEST(Split, names_the_item_by_its_place_in_the_whole_request) {
  auto scripted = std::make_unique<ScriptedEmbedder>();
  scripted->script = {[&inner = *scripted](const api::EmbedRequest& r) { return inner.good(r); },
                      [](const api::EmbedRequest&) -> Result<api::EmbedReply> {
                        return fail(Error(ErrorCode::context_length_exceeded,
                                          "input[1] has 900 tokens; at most 512 are taken")
                                        .with_item(1)
                                        .with_param("input[1]"));
                      }};
  Split split(std::move(scripted), BatchLimits{.items = 2});
  const TextRequest texts({"a", "b", "c", "d"});
  Call call("gen-emb-1", std::chrono::steady_clock::time_point::max());
  const auto reply = run_task(split.embed(texts.request, call));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().item(), 3U);
  EXPECT_EQ(reply.error().param(), "input[3]");
  EXPECT_EQ(reply.error().message(), "input[3] has 900 tokens; at most 512 are taken");
}

}  // namespace
}  // namespace embedrouter::embed
