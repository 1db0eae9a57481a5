// The transport on real sockets: connections, threads, cancellation.
#include <embedrouter/client.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "testing/loopback_server.h"

namespace embedrouter::sdk {
namespace {

using embedrouter::testing::LoopbackServer;
using std::chrono::milliseconds;

constexpr const char* kOne =
    R"({"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAEA="}]})";

LoopbackServer::Answer always(const std::string& answer) {
  return [answer](const std::string&) { return answer; };
}

ClientOptions options_for(const LoopbackServer& server) {
  ClientOptions options;
  options.server_url = server.url();
  options.api_key = "key";
  options.retries = RetryConfig::none();
  return options;
}

Result<EmbeddingsResponse> ask(const Client& client, CallOptions options = {}) {
  return client.embeddings().generate({.input = "hi", .model = "m"}, std::move(options)).get();
}

TEST(CurlTransport, embeds_over_a_kept_connection) {
  const LoopbackServer server(always(LoopbackServer::json(kOne)));
  ClientOptions options = options_for(server);
  const auto transport = std::make_shared<CurlTransport>();
  options.transport = options.transport = transport;
  options.sleeper = transport;
  const Client client(options);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(ask(client)->matrix());
  EXPECT_EQ(transport->counts().attempts, 20U);
  EXPECT_EQ(transport->counts().connections, 1U);
}

TEST(CurlTransport, sixty_four_threads_share_a_pool) {
  const LoopbackServer server(always(LoopbackServer::json(kOne)));
  ClientOptions options = options_for(server);
  const auto transport = std::make_shared<CurlTransport>(TransportOptions{.max_connections = 16});
  options.transport = transport;
  options.sleeper = transport;
  const Client client(options);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) good += ask(client).has_value() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 64 * 50);
  EXPECT_EQ(transport->counts().attempts, 64U * 50);
  // 99 % of attempts on connections that were there.
  EXPECT_LE(transport->counts().connections, 16U);
}

TEST(CurlTransport, says_how_it_failed) {
  const auto kind = [](const LoopbackServer::Answer& answer, TransportOptions limits = {},
                       CallOptions call = {}) {
    const LoopbackServer server(answer);
    ClientOptions options = options_for(server);
    options.transport_options = limits;
    const auto reply = ask(Client(options), std::move(call));
    return reply ? std::nullopt : std::optional(reply.error().kind());
  };
  EXPECT_EQ(kind(always("")), ErrorKind::protocol);
  EXPECT_EQ(kind(always("nonsense\r\n\r\n")), ErrorKind::protocol);
  EXPECT_EQ(kind(always(LoopbackServer::json(kOne)), {.max_response_bytes = 10}), ErrorKind::protocol);
  const auto hang = [](const std::string&) {
    std::this_thread::sleep_for(milliseconds(300));
    return std::string();
  };
  EXPECT_EQ(kind(hang, {}, {.timeout = milliseconds(50)}), ErrorKind::timed_out);
  ClientOptions nobody;
  nobody.server_url = "http://127.0.0.1:1";
  nobody.retries = RetryConfig::none();
  EXPECT_EQ(ask(Client(nobody)).error().kind(), ErrorKind::connect_failed);
}

TEST(CurlTransport, an_idle_connection_that_was_dropped_is_replaced_at_once) {
  std::atomic<int> requests{0};
  // The first answer keeps the connection, the second request finds it closed by the server.
  const LoopbackServer server([&requests](const std::string&) {
    const std::string answer = LoopbackServer::json(kOne);
    return ++requests == 2 ? std::string() : answer;
  });
  const Client client(options_for(server));
  EXPECT_TRUE(ask(client));
  EXPECT_TRUE(ask(client));
  EXPECT_EQ(requests, 3);
}

TEST(CurlTransport, a_stop_ends_an_attempt_and_a_wait) {
  std::promise<void> arrived;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  const LoopbackServer server([&, first = true](const std::string&) mutable {
    if (first) arrived.set_value();
    first = false;
    released.wait();
    return std::string();
  });
  {
    const Client client(options_for(server));
    std::stop_source stop;
    auto reply =
        client.embeddings().generate({.input = "hi", .model = "m"}, {.stop = stop.get_token()}).future();
    arrived.get_future().wait();
    stop.request_stop();
    EXPECT_EQ(reply.get().error().kind(), ErrorKind::cancelled);
  }
  const LoopbackServer down(always(LoopbackServer::json("{}", "503 Unavailable")));
  ClientOptions options = options_for(down);
  options.retries = RetryConfig{};
  options.retries.backoff.initial = std::chrono::hours(1);
  options.retries.backoff.max = std::chrono::hours(1);
  std::stop_source stop;
  options.hooks.after_error = nullptr;
  options.retry_sources.uniform = [&stop] {
    stop.request_stop();  // on its way to the wait
    return 0.0;
  };
  EXPECT_EQ(ask(Client(options), {.stop = stop.get_token()}).error().kind(), ErrorKind::cancelled);
  release.set_value();
}

TEST(CurlTransport, cancelled_at_any_point_it_calls_back_once) {
  const LoopbackServer server(always(LoopbackServer::json(kOne)));
  const Client client(options_for(server));
  for (int i = 0; i < 200; ++i) {
    std::stop_source stop;
    std::atomic<int> calls{0};
    std::promise<void> done;
    client.embeddings()
        .generate({.input = "hi", .model = "m"}, {.stop = stop.get_token()})
        .then([&](const Result<EmbeddingsResponse>& reply) {
          EXPECT_TRUE(reply || reply.error().kind() == ErrorKind::cancelled);
          if (++calls == 1) done.set_value();
        });
    for (int spin = 0; spin < i * 20; ++spin) std::atomic_signal_fence(std::memory_order_seq_cst);
    stop.request_stop();
    done.get_future().wait();
    EXPECT_EQ(calls, 1);
  }
}

TEST(CurlTransport, the_end_of_the_client_ends_its_calls) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  const LoopbackServer server([released](const std::string&) {
    released.wait();
    return std::string();
  });
  std::future<Result<EmbeddingsResponse>> reply;
  {
    const Client client(options_for(server));
    reply = client.embeddings().generate({.input = "hi", .model = "m"}).future();
  }
  EXPECT_EQ(reply.get().error().kind(), ErrorKind::cancelled);
  release.set_value();
}

TEST(CurlTransport, a_client_may_end_in_its_own_callback) {
  const LoopbackServer server(always(LoopbackServer::json(kOne)));
  auto client = std::make_unique<Client>(options_for(server));
  std::promise<bool> done;
  client->embeddings()
      .generate({.input = "hi", .model = "m"})
      .then([&](const Result<EmbeddingsResponse>& reply) {
        client.reset();
        done.set_value(reply.has_value());
      });
  EXPECT_TRUE(done.get_future().get());
}

}  // namespace
}  // namespace embedrouter::sdk
