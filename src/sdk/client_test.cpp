// The client over mocks: what is sent, what becomes of answers.
#include <embedrouter/client.h>
#include <embedrouter/testing/mock_connection.h>
#include <embedrouter/testing/mock_transport.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

namespace embedrouter::sdk {
namespace {

using std::chrono::milliseconds;
using testing::MockConnection;
using testing::MockTime;
using testing::MockTransport;

constexpr const char* kKey = "sk-or-v1-0123456789abcdef";
// 1.0, 2.0 and -0.5, 0.25
constexpr const char* kTwo = R"({"object":"list","model":"m","data":[
  {"object":"embedding","index":0,"embedding":"AACAPwAAAEA="},
  {"object":"embedding","index":1,"embedding":[-0.5,0.25]}],
  "usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.5}})";

struct Bench {
  std::shared_ptr<MockTransport> transport = std::make_shared<MockTransport>();
  std::shared_ptr<MockTime> time = std::make_shared<MockTime>();

  Client client(ClientOptions options = {}) {
    if (std::holds_alternative<std::monostate>(options.api_key)) options.api_key = kKey;
    if (!options.server_url) options.server_url = "http://host/api/v1/";
    options.transport = transport;
    options.sleeper = time;
    options.retry_sources = {[time = time] { return time->now(); }, [] { return 0.0; }};
    return Client(std::move(options));
  }
};

Result<EmbeddingsResponse> ask(const Client& client, CallOptions options = {}) {
  return client.embeddings().generate({.input = "hi", .model = "m"}, std::move(options)).get();
}

// The answer to a request for two items.
Result<EmbeddingsResponse> decoded(std::string body) {
  auto mock = std::make_shared<MockConnection>();
  mock->answer(200, std::move(body));
  return Client(mock)
      .embeddings()
      .generate({.input = std::vector<std::string>{"a", "b"}, .model = "m"})
      .get();
}

TEST(Client, sends_what_the_official_sdk_sends) {
  Bench bench;
  bench.transport->answer(200, kTwo);
  const Client client = bench.client({.http_referer = "https://app", .title = "App"});
  ASSERT_TRUE(ask(client, {.title = "Other", .headers = {{"X-Mine", "1"}}}));
  const HttpRequest sent = bench.transport->requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "http://host/api/v1/embeddings");
  EXPECT_EQ(*sent.body, R"({"input":"hi","model":"m"})");
  EXPECT_EQ(*sent.headers.find("authorization"), std::string("Bearer ") + kKey);
  EXPECT_EQ(*sent.headers.find("content-type"), "application/json");
  EXPECT_EQ(*sent.headers.find("accept"), "application/json;q=1, text/event-stream;q=0");
  EXPECT_EQ(*sent.headers.find("http-referer"), "https://app");
  EXPECT_EQ(*sent.headers.find("x-openrouter-title"), "Other");
  EXPECT_EQ(*sent.headers.find("x-mine"), "1");
}

TEST(Client, adds_no_second_bearer_and_asks_a_function_for_each_call) {
  Bench bench;
  bench.transport->answer(200, kTwo);
  int asked = 0;
  const Client client =
      bench.client({.api_key = [&asked] { return "bearer key" + std::to_string(++asked); }});
  ASSERT_TRUE(ask(client));
  ASSERT_TRUE(ask(client));
  EXPECT_EQ(*bench.transport->requests().at(0).headers.find("authorization"), "bearer key1");
  EXPECT_EQ(*bench.transport->requests().at(1).headers.find("authorization"), "bearer key2");
}

TEST(Client, reads_the_environment_where_nothing_is_given) {
  ::setenv("OPENROUTER_API_KEY", "from-env", 1);
  ::setenv("OPENROUTER_BASE_URL", "https://env/v1", 1);
  ::setenv("OPENROUTER_APP_TITLE", "T", 1);
  ::setenv("OPENROUTER_X_OPEN_ROUTER_CATEGORIES", "C", 1);
  auto transport = std::make_shared<MockTransport>();
  transport->answer(200, kTwo);
  const Client client({.transport = transport});
  for (const char* name : {"OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "OPENROUTER_APP_TITLE",
                           "OPENROUTER_X_OPEN_ROUTER_CATEGORIES"}) {
    ::unsetenv(name);
  }
  ASSERT_TRUE(ask(client));
  const HttpRequest sent = transport->requests().at(0);
  EXPECT_EQ(sent.url, "https://env/v1/embeddings");
  EXPECT_EQ(*sent.headers.find("authorization"), "Bearer from-env");
  EXPECT_EQ(*sent.headers.find("x-openrouter-title"), "T");
  EXPECT_EQ(*sent.headers.find("x-openrouter-categories"), "C");
  const Client bare({.transport = transport});
  ASSERT_TRUE(ask(bare));
  EXPECT_EQ(transport->requests().at(1).headers.find("authorization"), nullptr);
  EXPECT_EQ(transport->requests().at(1).url, "https://openrouter.ai/api/v1/embeddings");
}

TEST(Client, refuses_what_cannot_be_sent) {
  Bench bench;
  const Client client = bench.client({.api_key = "key\n"});
  EXPECT_EQ(ask(client).error().kind(), ErrorKind::usage);
  EXPECT_EQ(ask(bench.client({.server_url = "ftp://x"})).error().kind(), ErrorKind::usage);
  const auto text = client.embeddings().generate({.input = "\xff", .model = "m"}).get();
  EXPECT_EQ(text.error().message(), "input is not UTF-8");
  auto options = client.embeddings().generate(
      {.input = "a", .model = "m", .provider = ProviderPreferences{.options = {{"openai", Json{"{"}}}}});
  EXPECT_EQ(std::move(options).get().error().kind(), ErrorKind::usage);
  EXPECT_TRUE(bench.transport->requests().empty());
}

TEST(Client, retries_and_gives_the_last_answer) {
  Bench bench;
  bench.transport->answer(503, "{}", {{"Retry-After", "3"}});
  bench.transport->answer(fail(ErrorKind::connection_lost, "reset"));
  bench.transport->answer(200, kTwo);
  ASSERT_TRUE(ask(bench.client()));
  EXPECT_EQ(bench.time->waits(), (std::vector<milliseconds>{milliseconds(3000), milliseconds(750)}));

  Bench forever;
  forever.transport->answer(500, R"({"error":{"code":500,"message":"down"}})");
  const auto failed = ask(forever.client());
  EXPECT_EQ(failed.error().kind(), ErrorKind::internal_server);
  EXPECT_EQ(failed.error().message(), "down");
  EXPECT_GT(forever.transport->requests().size(), 60U);
}

TEST(Client, runs_hooks_around_attempts) {
  Bench bench;
  bench.transport->answer(fail(ErrorKind::connect_failed, "refused"));
  bench.transport->answer(404, R"({"error":{"code":404,"message":"none"}})");
  std::vector<std::string> seen;
  Hooks hooks;
  hooks.before_request = [&](const HookContext& context, HttpRequest& request) -> Result<void> {
    seen.push_back("before " + std::to_string(context.attempt));
    request.headers.set("X-Hook", "1");
    return {};
  };
  hooks.after_success = [&](const HookContext&, HttpResponse&) -> Result<void> {
    seen.emplace_back("success");
    return fail(ErrorKind::usage, "vetoed");
  };
  hooks.after_error = [&](const HookContext&, HttpResponse* response, Error* error) {
    seen.push_back(error != nullptr ? "no answer" : std::to_string(response->status));
  };
  const Client client = bench.client({.hooks = hooks});
  EXPECT_EQ(ask(client).error().kind(), ErrorKind::not_found);
  EXPECT_EQ(seen, (std::vector<std::string>{"before 0", "no answer", "before 1", "404"}));
  EXPECT_EQ(*bench.transport->requests().at(1).headers.find("x-hook"), "1");

  Bench second;
  second.transport->answer(200, kTwo);
  EXPECT_EQ(ask(second.client({.hooks = hooks})).error().message(), "vetoed");
}

TEST(Client, tells_no_key_to_log_or_error) {
  Bench bench;
  bench.transport->answer(400, std::string(R"({"error":{"code":400,"message":"you sent )") + kKey + "\"}}");
  std::string log;
  const Client client = bench.client({.debug_logger = [&log](std::string_view line) { log += line; }});
  const auto failed = ask(client);
  EXPECT_EQ(failed.error().message(), "you sent [redacted]");
  EXPECT_EQ(failed.error().answer()->body.find(kKey), std::string::npos);
  EXPECT_NE(log.find("POST http://host/api/v1/embeddings"), std::string::npos);
  EXPECT_NE(log.find(R"("input":"hi")"), std::string::npos);
  EXPECT_EQ(log.find(kKey), std::string::npos);
  log.clear();
  static_cast<void>(client.byok().create({.provider = "openai", .key = "sk-theirs"}).get());
  EXPECT_NE(log.find("/byok"), std::string::npos);
  EXPECT_EQ(log.find("sk-theirs"), std::string::npos);
}

TEST(Client, a_stop_before_or_between_attempts_cancels) {
  std::stop_source stop;
  Bench bench;
  bench.transport->answer(503);
  Hooks hooks;
  hooks.before_request = [&](const HookContext& context, HttpRequest&) -> Result<void> {
    if (context.attempt == 2) stop.request_stop();
    return {};
  };
  const Client client = bench.client({.hooks = hooks});
  EXPECT_EQ(ask(client, {.stop = stop.get_token()}).error().kind(), ErrorKind::cancelled);
  EXPECT_EQ(bench.transport->requests().size(), 3U);
  EXPECT_EQ(ask(client, {.stop = stop.get_token()}).error().kind(), ErrorKind::cancelled);
  EXPECT_EQ(bench.transport->requests().size(), 3U);
}

TEST(Client, fills_the_error_from_the_envelope) {
  Bench bench;
  bench.transport->answer(
      402, R"({"error":{"code":402,"message":"no credit","metadata":{"error_type":"payment_required"}},
                                   "user_id":"u","openrouter_metadata":{"attempt":0}})",
      {{"Content-Type", "application/json; charset=utf-8"}, {"X-A", "b"}});
  const auto failed = ask(bench.client());
  const Error& error = failed.error();
  EXPECT_EQ(error.kind(), ErrorKind::payment_required);
  EXPECT_EQ(class_name(error.kind()), "PaymentRequiredResponseError");
  EXPECT_EQ(error.status(), 402);
  EXPECT_EQ(error.answer()->code, 402);
  EXPECT_EQ(error.answer()->metadata, R"({"error_type":"payment_required"})");
  EXPECT_EQ(error.answer()->user_id, "u");
  EXPECT_EQ(error.answer()->openrouter_metadata, R"({"attempt":0})");
  EXPECT_EQ(*error.answer()->headers.find("x-a"), "b");
}

TEST(EmbeddingsResponse, is_one_matrix) {
  const auto reply = decoded(kTwo);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage->prompt_tokens, 3);
  EXPECT_EQ(reply->usage->cost, 0.5);
  EXPECT_EQ(*reply->data()[0].values(), (std::vector<float>{1.0F, 2.0F}));
  const auto matrix = reply->matrix();
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->rows(), 2U);
  EXPECT_EQ(std::vector<float>(matrix->data(), matrix->data() + 4),
            (std::vector<float>{1.0F, 2.0F, -0.5F, 0.25F}));
}

TEST(EmbeddingsResponse, rows_are_by_index) {
  const auto reply =
      decoded(R"({"object":"list","model":"m","data":[{"object":"embedding","index":1,"embedding":[1]},
                                 {"object":"embedding","index":0,"embedding":"AAAAQA=="}]})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->matrix()->row(0)[0], 2.0F);
  EXPECT_EQ(reply->matrix()->row(1)[0], 1.0F);
}

TEST(EmbeddingsResponse, reads_escaped_base64) {
  const auto reply = decoded(
      R"({"object":"list","model":"m","data":[{"object":"embedding","embedding":"\u0041ACAPwAAAEA\u003d"},
                                 {"object":"embedding","embedding":"AACAPwAAAEA="}]})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->matrix()->row(0)[1], 2.0F);
}

TEST(EmbeddingsResponse, makes_no_matrix_of_what_is_none) {
  const auto of = [](const std::string& data) {
    const auto reply = decoded(R"({"object":"list","model":"m","data":[)" + data + "]}");
    return reply ? reply->matrix().error() : reply.error();
  };
  const std::string good = R"({"object":"embedding","index":0,"embedding":[1,2]})";
  for (const std::string& data : {
           good,                                                                      // one for two
           good + "," + good,                                                         // an index twice
           good + R"(,{"object":"embedding","embedding":[1,2]})",                     // an index, no index
           good + R"(,{"object":"embedding","index":2,"embedding":[1,2]})",           // out of range
           good + R"(,{"object":"embedding","index":-1,"embedding":[1,2]})",          // negative
           good + R"(,{"object":"embedding","index":1,"embedding":[1]})",             // narrower
           good + R"(,{"object":"embedding","index":1,"embedding":"AADAfwAAgD8="})",  // NaN
           good + R"(,{"object":"embedding","index":1,"embedding":"AACAPwAA*EA="})",  // not base64
           good + R"(,{"object":"embedding","index":1,"embedding":[1,1e39]})",        // no float32
           good + R"(,{"object":"embedding","index":1,"embedding":[1,null]})",        // no number
       }) {
    EXPECT_EQ(of(data).kind(), ErrorKind::response_validation) << data;
    EXPECT_NE(of(data).answer(), nullptr);
  }
}

TEST(EmbedAll, splits_keeps_order_and_names_the_text_to_blame) {
  Bench bench;
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
  EXPECT_LT(bad.transport->requests().size(), 60U);
}

TEST(Matrix, top_k_orders_by_likeness) {
  const Matrix matrix(std::shared_ptr<const float[]>(new float[]{1, 0, 0, 1, 2, 0.1F, std::nanf(""), 0}), 4,
                      2);
  const float query[] = {1, 0};
  const auto matches = top_k(matrix, query, 3);
  ASSERT_EQ(matches.size(), 3U);
  EXPECT_EQ(matches[0].row, 0U);
  EXPECT_EQ(matches[1].row, 2U);
  EXPECT_EQ(matches[2].row, 1U);
  EXPECT_NEAR(matches[1].cosine, 2 / std::sqrt(4.01), 1e-9);
  EXPECT_TRUE(top_k(matrix, std::span(query, 1), 3).empty());
  const float zero[] = {0, 0};
  EXPECT_EQ(cosine(zero, query), 0.0);
}

}  // namespace
}  // namespace embedrouter::sdk
