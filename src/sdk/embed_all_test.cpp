// Many texts in one go, over mocks.
#include <embedrouter/client.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "sdk/test_bench.h"

namespace embedrouter::sdk {
namespace {

using testing::Bench;

// Answers by what is in the request: "bad" is refused, a text is its own length.
struct ByText final : Transport {
  void send(HttpRequest request, std::stop_token, ResponseHandler done) override {
    ++requests;
    const std::string& body = *request.body;
    if (body.find("\"bad\"") != std::string::npos) {
      return done(HttpResponse{
          400, {{"content-type", "application/json"}}, R"({"error":{"code":400,"message":"no"}})", {}});
    }
    std::string data;
    std::size_t at = body.find('[');
    const std::size_t end = body.find(']');
    for (at = body.find('"', at); at < end; at = body.find('"', at)) {
      const std::size_t close = body.find('"', at + 1);
      data += (data.empty() ? "" : ",") + std::string(R"({"object":"embedding","embedding":[)") +
              std::to_string(close - at - 1) + "]}";
      at = close + 1;
    }
    done(HttpResponse{200,
                      {{"content-type", "application/json"}},
                      R"({"object":"list","model":"m","data":[)" + data +
                          R"(],"usage":{"prompt_tokens":2,"total_tokens":2}})",
                      {}});
  }
  std::atomic<int> requests{0};
};

TEST(EmbedAll, splits_keeps_order_and_names_the_text_to_blame) {
  auto transport = std::make_shared<ByText>();
  const Client client({.server_url = "http://host", .transport = transport});
  std::vector<std::string> owned;
  for (std::size_t i = 0; i < 20; ++i) owned.push_back(i == 13 ? "bad" : std::string(i + 1, 'x'));
  const std::vector<std::string_view> texts(owned.begin(), owned.end());
  std::size_t told = 0;
  const auto all = client.embeddings().embed_all(
      texts,
      {.model = "m", .batch_items = 8, .progress = [&told](std::size_t done, std::size_t) { told = done; }});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->failures.size(), 1U);
  EXPECT_EQ(all->failures[0].item, 13U);
  EXPECT_EQ(told, 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    if (i == 13) {
      EXPECT_TRUE(std::isnan(all->vectors.row(i)[0]));
    } else {
      EXPECT_EQ(all->vectors.row(i)[0], static_cast<float>(i + 1));
    }
  }
  // 8 + 8 + 4, and the second 8 as 4, 4, 2, 2, 1, 1.
  EXPECT_EQ(transport->requests, 9);
}

TEST(EmbedAll, gives_up_when_it_is_not_about_the_texts) {
  const std::vector<std::string_view> texts(1000, "text");
  Bench refused;
  refused.transport->answer(401, R"({"error":{"code":401,"message":"no key"}})");
  const auto unauthorized = refused.client().embeddings().embed_all(texts, {.model = "m", .batch_items = 10});
  EXPECT_EQ(unauthorized.error().kind(), ErrorKind::unauthorized);
  EXPECT_LE(refused.transport->requests().size(), 4U);

  Bench bad;
  bad.transport->answer(400, R"({"error":{"code":400,"message":"dimensions"}})");
  EXPECT_FALSE(bad.client().embeddings().embed_all(texts, {.model = "m"}));
  // Those under way, and the one that tells that no text would be taken.
  EXPECT_LE(bad.transport->requests().size(), 5U);
  EXPECT_EQ(*bad.transport->requests().back().body,
            R"({"input":["a"],"model":"m","encoding_format":"base64"})");
}

TEST(EmbedAll, embeds_the_good_texts_behind_many_bad_ones) {
  for (const std::size_t batch_items : {1U, 5U, 64U}) {
    auto transport = std::make_shared<ByText>();
    const Client client({.server_url = "http://host", .transport = transport});
    std::vector<std::string_view> texts(40, "bad");
    texts.resize(50, "good");
    const auto all = client.embeddings().embed_all(texts, {.model = "m", .batch_items = batch_items});
    ASSERT_TRUE(all) << all.error().message();
    EXPECT_EQ(all->failures.size(), 40U);
    for (std::size_t i = 40; i < 50; ++i) EXPECT_EQ(all->vectors.row(i)[0], 4.0F);
  }
}

TEST(EmbedAll, an_answer_that_is_none_costs_only_its_own_texts) {
  const auto answer = [](const std::string& data) {
    return R"({"object":"list","model":"m","data":[)" + data + "]}";
  };
  const std::string one = R"({"object":"embedding","embedding":[1,2]})";
  const std::vector<std::string_view> texts(8, "text");
  for (const std::string& faulty : {std::string(), one + ',' + one + ',' + one}) {
    Bench bench;
    bench.transport->answer(200, answer(faulty));
    bench.transport->answer(200, answer(one + ',' + one));
    const auto all =
        bench.client().embeddings().embed_all(texts, {.model = "m", .batch_items = 2, .requests_at_once = 1});
    ASSERT_TRUE(all) << all.error().message();
    ASSERT_EQ(all->failures.size(), 2U);
    EXPECT_EQ(all->failures[0].error.kind(), ErrorKind::response_validation);
    EXPECT_NE(all->failures[0].error.answer(), nullptr);
    EXPECT_EQ(all->vectors.row(7)[1], 2.0F);
  }
}

// One vector of 4 MB, and a job that would need terabytes at that width: no answer is kept, nothing ends.
TEST(EmbedAll, survives_vectors_too_wide_for_the_job) {
  std::string wide = "[1";
  for (int i = 1; i < 1'000'000; ++i) wide += ",1";
  Bench bench;
  bench.transport->answer(
      200, R"({"object":"list","model":"m","data":[{"object":"embedding","embedding":)" + wide + "]}]}");
  bench.transport->answer(401, R"({"error":{"code":401,"message":"no key"}})");
  const std::vector<std::string_view> texts(200'000, "a");
  const auto all =
      bench.client().embeddings().embed_all(texts, {.model = "m", .batch_items = 1, .requests_at_once = 1});
  EXPECT_NE(all.error().message().find("no memory for 200000 vectors"), std::string::npos);
}

}  // namespace
}  // namespace embedrouter::sdk
