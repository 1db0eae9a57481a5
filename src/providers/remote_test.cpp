#include "providers/remote.h"

#include <gtest/gtest.h>

#include <deque>

#include "testing/requests.h"
#include "testing/run_task.h"

namespace embedrouter::providers {
namespace {

using testing::run_task;
using testing::TextRequest;

constexpr std::string_view kGood =
    R"({"data":[{"index":0,"embedding":[0.5,-0.25]}],"usage":{"prompt_tokens":1,"total_tokens":1}})";

// Answers as told, and then well. Records the keys it was asked with.
class ScriptedClient final : public net::Client {
 public:
  Task<Result<net::ClientResponse>> send(net::ClientRequest request) override {
    if (meanwhile) meanwhile();
    asked.emplace_back("none");
    for (const net::OwnedHeader& header : request.headers)
      if (header.name == "traceparent") traces.push_back(header.value);
    for (const net::OwnedHeader& header : request.headers)
      if (header.name == "Authorization") asked.back() = header.value;
    bodies.push_back(request.body.to_string());
    net::ClientResponse response;
    response.status = 200;
    std::string body(kGood);
    if (!script.empty()) {
      response.status = script.front().first;
      body = script.front().second;
      script.pop_front();
    }
    response.head = std::make_shared<const Buffer>(std::string_view());
    response.body = std::make_shared<const Buffer>(body);
    co_return response;
  }
  std::size_t idle_connections() const override { return 0; }

  std::deque<std::pair<int, std::string>> script;
  std::vector<std::string> asked, bodies, traces;
  std::function<void()> meanwhile;  // what others do while a call is under way
};

struct Bench {
  explicit Bench(std::vector<std::string> keys, bool policy_fallback = false) {
    model.id = "test/model";
    endpoint.id = "test/model@p";
    endpoint.model = &model;
    endpoint.upstream_model = "m";
    RemoteOptions options;
    options.keys = std::make_shared<KeyPool>("p", std::move(keys), 3, clock, log);
    options.policy_fallback = policy_fallback;
    remote = std::make_unique<Remote>(endpoint, *find_dialect("openai"), client, options, clock);
  }
  Result<api::EmbedReply> embed() {
    const TextRequest texts({"x"});
    return run_task(remote->embed(texts.request, call));
  }

  ManualClock clock;
  Log log{LogLevel::off};
  catalog::Model model;
  catalog::Endpoint endpoint;
  ScriptedClient client;
  std::unique_ptr<Remote> remote;
  embed::Call call{"gen-emb-1", Clock::Steady::max()};
};

TEST(Remote, the_calls_of_one_attempt_name_its_span_whatever_begins_beside_it) {
  Bench bench({"key-one", "key-two"});
  bench.call.trace = parse_traceparent("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
  ASSERT_TRUE(bench.call.trace);
  bench.client.script = {{401, ""}};
  bench.client.meanwhile = [&] { bench.call.begin_attempt(); };
  bench.call.begin_attempt();
  EXPECT_TRUE(bench.embed());
  ASSERT_EQ(bench.client.traces.size(), 2U);
  EXPECT_EQ(bench.client.traces[0], bench.client.traces[1]);
}

TEST(Remote, tries_the_next_key_when_one_is_refused_with_the_same_request) {
  Bench bench({"key-one", "key-two"});
  bench.client.script = {{401, ""}};
  EXPECT_TRUE(bench.embed());
  EXPECT_EQ(bench.client.asked, (std::vector<std::string>{"Bearer key-one", "Bearer key-two"}));
  EXPECT_EQ(bench.client.bodies[0], bench.client.bodies[1]);
  EXPECT_TRUE(bench.embed());
  EXPECT_EQ(bench.client.asked.back(), "Bearer key-two");
}

TEST(Remote, tries_each_key_once_and_then_none_until_one_is_back) {
  Bench bench({"a", "b", "c"});
  for (int i = 0; i < 3; ++i)
    bench.client.script.emplace_back(429, R"({"error":{"message":"retry after 9 s"}})");
  const auto refused = bench.embed();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::upstream_rate_limited);
  EXPECT_FALSE(refused.error().unsent());
  EXPECT_EQ(bench.client.asked.size(), 3U);
  bench.clock.advance(std::chrono::seconds(4));
  const auto unsent = bench.embed();
  ASSERT_FALSE(unsent);
  EXPECT_TRUE(unsent.error().unsent());
  EXPECT_EQ(unsent.error().retry_after(), std::chrono::seconds(5));
  EXPECT_EQ(bench.client.asked.size(), 3U);
  bench.clock.advance(std::chrono::seconds(5));
  EXPECT_TRUE(bench.embed());
}

TEST(Remote, tells_the_shortest_wait_over_its_keys) {
  Bench bench({"a", "b"});
  bench.client.script = {{429, R"({"error":{"message":"retry after 2 s"}})"},
                         {429, R"({"error":{"message":"retry after 50 s"}})"}};
  EXPECT_EQ(bench.embed().error().retry_after(), std::chrono::seconds(2));
}

TEST(Remote, tries_no_other_key_for_what_is_no_matter_of_keys) {
  for (const int status : {400, 404, 413, 422, 500, 503, 504, 524, 529}) {
    Bench bench({"a", "b"});
    bench.client.script = {{status, ""}};
    EXPECT_FALSE(bench.embed()) << status;
    EXPECT_EQ(bench.client.asked.size(), 1U) << status;
  }
}

TEST(Remote, an_error_inside_a_200_parks_the_key_too) {
  Bench bench({"a", "b"});
  bench.client.script = {{200, R"({"error":{"message":"m","code":402}})"}};
  EXPECT_TRUE(bench.embed());
  EXPECT_EQ(bench.client.asked, (std::vector<std::string>{"Bearer a", "Bearer b"}));
}

TEST(Remote, sends_no_key_where_there_is_none) {
  Bench bench({});
  EXPECT_TRUE(bench.embed());
  EXPECT_EQ(bench.client.asked, std::vector<std::string>{"none"});
}

TEST(Remote, what_quotes_the_key_is_not_handed_on) {
  Bench bench({"sk-very-secret"});
  bench.client.script = {{400, R"({"error":{"message":"bad key sk-very-secret","code":"sk-very-secret"}})"}};
  const auto refused = bench.embed();
  ASSERT_FALSE(refused);
  const Error& error = refused.error();
  EXPECT_EQ(error.message(), "the provider answered 400");
  EXPECT_EQ(error.provider_code().find("secret"), std::string::npos);
  EXPECT_EQ(error.detail().find("secret"), std::string::npos);
}

TEST(Remote, a_refusal_for_the_content_falls_back_only_where_the_operator_says_so) {
  for (const bool fallback : {false, true}) {
    Bench bench({"a", "b"}, fallback);
    bench.client.script = {{400, R"({"error":{"message":"m","code":"content_policy_violation"}})"}};
    const auto refused = bench.embed();
    ASSERT_FALSE(refused);
    EXPECT_EQ(traits(refused.error().code()).fall_back, fallback);
    EXPECT_EQ(traits(refused.error().code()).error_type, "content_policy_violation");
    EXPECT_EQ(bench.client.asked.size(), 1U);
  }
}

}  // namespace
}  // namespace embedrouter::providers
