// The client over mocks: what is sent, what becomes of answers.
#include <embedrouter/client.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "sdk/test_bench.h"

namespace embedrouter::sdk {
namespace {

using std::chrono::milliseconds;
using namespace testing;

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

TEST(Client, a_call_has_its_own_deadlines) {
  Bench bench;
  bench.transport->answer(200, kTwo);
  const Client client = bench.client({.timeout = milliseconds(700), .connect_timeout = milliseconds(60)});
  static_cast<void>(ask(client));
  static_cast<void>(ask(client, {.timeout = milliseconds(8), .connect_timeout = milliseconds(9)}));
  const auto sent = bench.transport->requests();
  EXPECT_EQ(std::pair(sent.at(0).timeout, sent.at(0).connect_timeout),
            std::pair(milliseconds(700), milliseconds(60)));
  EXPECT_EQ(std::pair(sent.at(1).timeout, sent.at(1).connect_timeout),
            std::pair(milliseconds(8), milliseconds(9)));
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

// Whatever the status and the media type, and whatever authenticates.
TEST(Client, shows_no_key_that_a_server_sends_back) {
  const std::string mine = "another-token";
  for (const auto& [status, type] : {std::pair(200, "text/plain"), std::pair(201, "application/json"),
                                     std::pair(200, "application/json"), std::pair(401, "text/html; k=")}) {
    for (const std::string& key : {std::string(kKey), mine}) {
      Bench bench;
      const std::string shown = "Bearer " + key;
      bench.transport->answer(
          status, R"({"object":"list","model":"m","data":")" + shown + R"(","x":")" + shown + "\"}",
          {{"Content-Type", type + (status == 401 ? key : "")}, {"X-Seen", shown}});
      CallOptions options;
      if (key == mine) options.headers.add("authorization", shown);
      const auto failed = ask(bench.client(), options);
      ASSERT_FALSE(failed);
      const Error& error = failed.error();
      EXPECT_EQ(error.message().find(key), std::string::npos) << error.message();
      EXPECT_EQ(error.answer()->body.find(key), std::string::npos);
      EXPECT_EQ(*error.answer()->headers.find("x-seen"), "Bearer [redacted]");
    }
  }
}

TEST(Client, shows_no_key_in_what_is_wrong_with_a_matrix) {
  Bench bench;
  bench.transport->answer(
      200, std::string(R"({"object":"list","model":"m","data":[],"echo":"Bearer )") + kKey + "\"}");
  const auto reply = ask(bench.client());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->matrix().error().answer()->body.find(kKey), std::string::npos);
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

// Else it would go on for as long as its retries do.
TEST(Client, no_call_that_nobody_waits_for_keeps_the_connection) {
  struct Silent final : Transport {
    void send(HttpRequest, std::stop_token, ResponseHandler done) override {
      pending.push_back(std::move(done));
    }
    std::vector<ResponseHandler> pending;
  };
  const auto silent = std::make_shared<Silent>();
  const auto ended = [&silent](const auto& make) {
    auto connection = make_connection({.server_url = "http://host", .transport = silent});
    const std::weak_ptr<Connection> watched = connection;
    Client client(std::move(connection));
    auto call = make(client);
    std::move(call).then([](const auto&) {});
    client = Client(std::make_shared<MockConnection>());
    return watched.expired();
  };
  EXPECT_TRUE(ended([](const Client& c) { return c.embeddings().generate({.input = "a", .model = "m"}); }));
  EXPECT_TRUE(ended([](const Client& c) { return c.embeddings().list_models(); }));
  EXPECT_TRUE(ended([](const Client& c) { return c.models().list(); }));
  EXPECT_TRUE(ended([](const Client& c) { return c.models().list_for_user("key"); }));
  EXPECT_EQ(silent->pending.size(), 4U);
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

}  // namespace
}  // namespace embedrouter::sdk
