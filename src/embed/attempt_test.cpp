#include "embed/attempt.h"

#include <gtest/gtest.h>

#include "testing/run_task.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::embed {
namespace {

using testing::run_task;
using testing::ScriptedEmbedder;
using testing::TextRequest;
using testing::vector_of;

struct Bench {
  Bench() {
    auto scripted = std::make_unique<ScriptedEmbedder>();
    inner = scripted.get();
    AttemptOptions options;
    options.endpoint = "test/model@fake";
    options.provider = "Fake";
    options.contract = {8};
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

}  // namespace
}  // namespace embedrouter::embed
