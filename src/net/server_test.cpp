#include "net/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <future>

#include "net/stream.h"
#include "net/test_server.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::RawSocket;
using testing::TestServer;

Response text_response(std::string text) {
  Response response;
  response.content_type = "text/plain";
  response.body.append(std::move(text));
  return response;
}

// "METHOD path?query [body]"
Task<Response> echo(Exchange& exchange) {
  auto body = co_await exchange.read_body(1 << 20);
  Response response;
  if (!body) {
    response.status = body.error().http_status();
    response.body.append(std::string(traits(body.error().code()).name));
    co_return response;
  }
  const RequestHead& head = exchange.head();
  std::string text(head.method);
  text.append(" ")
      .append(head.path)
      .append("?")
      .append(head.query)
      .append(" [")
      .append(body->view())
      .append("]");
  co_return text_response(std::move(text));
}

std::string body_of(const std::string& message) {
  return message.substr(message.find("\r\n\r\n") + 4);
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string post(const std::string& body, const std::string& headers = "") {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST(Server, answers_requests_one_after_the_other_on_one_connection) {
  TestServer server(echo);
  RawSocket client = server.connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(post("body" + std::to_string(i))));
    const std::string answer = client.read_message();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nServer: embedrouter\r\nDate: ")) << answer;
    EXPECT_EQ(answer.find("Connection:"), std::string::npos);
    EXPECT_EQ(body_of(answer), "POST /p? [body" + std::to_string(i) + "]");
  }
}

TEST(Server, answers_pipelined_requests_in_their_order) {
  TestServer server(echo);
  RawSocket client = server.connect();
  std::string burst;
  for (int i = 0; i < 200; ++i)
    burst += i % 2 == 0 ? post("n" + std::to_string(i)) : get("/n" + std::to_string(i));
  ASSERT_TRUE(client.send(burst));
  for (int i = 0; i < 200; ++i) {
    const std::string expected =
        i % 2 == 0 ? "POST /p? [n" + std::to_string(i) + "]" : "GET /n" + std::to_string(i) + "? []";
    EXPECT_EQ(body_of(client.read_message()), expected);
  }
}

TEST(Server, takes_a_request_byte_by_byte) {
  TestServer server(echo);
  RawSocket client = server.connect();
  const std::string request =
      "\r\n" + post("abc", "Cookie:\r\n") +
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n";
  for (const char c : request) ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  EXPECT_EQ(body_of(client.read_message()), "POST /p? [abc]");
  EXPECT_EQ(body_of(client.read_message()), "POST /c? [hello]");
}

TEST(Server, survives_a_cut_at_every_byte_of_a_request) {
  TestServer server(echo);
  const std::string sized = post("0123456789");
  const std::string chunked =
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (const std::string& request : {sized, chunked}) {
    for (std::size_t cut = 0; cut < request.size(); ++cut) {
      RawSocket ended = server.connect();
      ended.send(request.substr(0, cut));
      ended.shutdown_send();
      EXPECT_EQ(ended.read_all(), "") << cut;
      RawSocket broken = server.connect();
      broken.send(request.substr(0, cut));
      broken.reset();
    }
  }
  RawSocket client = server.connect();
  client.send(sized);
  EXPECT_EQ(body_of(client.read_message()), "POST /p? [0123456789]");
}

TEST(Server, takes_large_bodies_of_known_and_unknown_length) {
  TestServer server(echo);
  RawSocket client = server.connect();
  std::string large(1 << 20, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 26);
  client.send(post(large));
  EXPECT_EQ(body_of(client.read_message()), "POST /p? [" + large + "]");
  std::string chunked = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < large.size(); at += 0x4321) {
    const std::string piece = large.substr(at, 0x4321);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    chunked += size + piece + "\r\n";
  }
  client.send(chunked + "0\r\nX: y\r\n\r\n" + get("/after"));
  EXPECT_EQ(body_of(client.read_message()), "POST /c? [" + large + "]");
  EXPECT_EQ(body_of(client.read_message()), "GET /after? []");
}

TEST(Server, speaks_http_1_0) {
  TestServer server(echo);
  RawSocket closing = server.connect();
  closing.send("GET /a HTTP/1.0\r\n\r\n");
  const std::string answer = closing.read_all();
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_EQ(body_of(answer), "GET /a? []");
  RawSocket keeping = server.connect();
  for (int i = 0; i < 2; ++i) {
    keeping.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(keeping.read_message().find("Connection: keep-alive"), std::string::npos);
  }
}

TEST(Server, sends_no_body_to_head) {
  TestServer server(echo);
  RawSocket client = server.connect();
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b"));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 11"), std::string::npos) << head;
  EXPECT_EQ(body_of(client.read_message()), "GET /b? []");
}

TEST(Server, accepts_absolute_targets) {
  TestServer server(echo);
  RawSocket client = server.connect();
  client.send("GET http://example.org/x?y=1 HTTP/1.1\r\nHost: example.org\r\n\r\n");
  EXPECT_EQ(body_of(client.read_message()), "GET /x?y=1 []");
}

TEST(Server, asks_for_the_body_of_a_client_that_waits) {
  TestServer server(echo);
  RawSocket client = server.connect();
  client.send("POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  EXPECT_EQ(body_of(client.read_message()), "POST /p? [ab]");
  client.send("POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 200"));
}

TEST(Server, refuses_broken_requests_and_closes) {
  TestServer server(echo);
  struct Case {
    std::string request, status;
  };
  const Case cases[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\nHost: h\n\n", "400"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", "400"},
      {"\x16\x03\x01\x02\x01\x01\xfc\x03\n", "400"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "501"},
      {"GET / HTTP/1.1\r\nHost: h\r\nExpect: money\r\n\r\n", "417"},
      {"GET /" + std::string(70'000, 'a'), "431"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n", "431"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
  };
  for (const Case& c : cases) {
    RawSocket client = server.connect();
    client.send(c.request);
    const std::string answer = client.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + c.status)) << c.request.substr(0, 80) << " -> " << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "one answer only";
    EXPECT_FALSE(client.ended_by_reset());
  }
}

TEST(Server, refuses_bodies_over_the_handlers_limit_and_keeps_the_connection) {
  TestServer server([](Exchange& exchange) -> Task<Response> {
    auto body = co_await exchange.read_body(10);
    Response response;
    if (!body) response.status = body.error().http_status();
    co_return response;
  });
  RawSocket client = server.connect();
  client.send(post(std::string(5'000, 'x')) + post("short"));
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 200"));
  client.send(
      "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n0123456789abcde\r\n0\r\n\r\n" +
      post("short"));
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 200"));
}

TEST(Server, lets_an_early_answer_reach_a_client_that_is_still_sending) {
  TestServer server([](Exchange&) -> Task<Response> {
    Response response;
    response.status = 401;
    co_return response;
  });
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{30} << 20}) {
    RawSocket client = server.connect();
    EXPECT_TRUE(client.send(post(std::string(size, 'x')))) << "the server took it all";
    const std::string answer = client.read_message();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401")) << answer;
    const bool closes = answer.find("Connection: close") != std::string::npos;
    EXPECT_EQ(closes, size > 1 << 20);
    client.shutdown_send();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_FALSE(client.ended_by_reset());
  }
  RawSocket waiting = server.connect();
  waiting.send("POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const std::string answer = waiting.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << "the body may or may not come";
}

// A handler that waits until it is cancelled, and says so.
struct Patient {
  std::promise<void> begun, cancelled;

  Task<Response> handle(Exchange& exchange) {
    auto body = co_await exchange.read_body(1 << 20);
    const Executor executor = co_await asio::this_coro::executor;
    Timer never(executor, Clock::Steady::max());
    begun.set_value();
    error_code error;
    co_await never.async_wait(asio::redirect_error(kAwait, error));
    if (error == asio::error::operation_aborted) cancelled.set_value();
    co_return Response();
  }
};

TEST(Server, cancels_the_handler_when_its_client_leaves) {
  for (const int how : {0, 1, 2}) {
    Patient patient;
    TestServer server([&](Exchange& exchange) { return patient.handle(exchange); });
    RawSocket client = server.connect();
    client.send(post("abc"));
    patient.begun.get_future().wait();
    if (how == 2) client.send(get("/pipelined"));
    if (how == 0) {
      client.reset();
    } else {
      client.close();
    }
    EXPECT_EQ(patient.cancelled.get_future().wait_for(seconds(20)), std::future_status::ready) << how;
  }
}

TEST(Server, keeps_a_waiting_client_informed) {
  TestServer server([](Exchange& exchange) -> Task<Response> {
    auto body = co_await exchange.read_body(1 << 20);
    exchange.keep_informed(milliseconds(10));
    const Executor executor = co_await asio::this_coro::executor;
    Timer timer(executor, milliseconds(100));
    co_await timer.async_wait(kAwait);
    co_return text_response("done");
  });
  RawSocket client = server.connect();
  client.send(post("x"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 102 Processing\r\n\r\n");
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200")) {
    answer = client.read_message();
    ASSERT_TRUE(answer == "HTTP/1.1 102 Processing\r\n\r\n" || answer.starts_with("HTTP/1.1 200")) << answer;
  }
  EXPECT_EQ(body_of(answer), "done");
  client.send("POST /p HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 200")) << "HTTP/1.0 knows no interim answers";
}

TEST(Server, answers_500_when_the_handler_throws) {
  TestServer server([](Exchange&) -> Task<Response> { throw std::runtime_error("bug"); });
  RawSocket client = server.connect();
  client.send(get("/") + get("/"));
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 500"));
  EXPECT_TRUE(client.read_message().starts_with("HTTP/1.1 500"));
}

TEST(Server, ends_connections_that_take_too_long) {
  ServerLimits limits;
  limits.idle_timeout = limits.header_timeout = limits.body_timeout = milliseconds(30);
  TestServer server(echo, limits);
  RawSocket silent = server.connect();
  RawSocket slow_head = server.connect();
  slow_head.send("GET / HT");
  RawSocket slow_body = server.connect();
  slow_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  RawSocket slow_chunks = server.connect();
  slow_chunks.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(slow_head.read_all().starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(slow_body.read_all().starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(slow_chunks.read_all().starts_with("HTTP/1.1 408"));
}

TEST(Server, gives_up_on_a_client_that_does_not_read) {
  ServerLimits limits;
  limits.write_timeout = milliseconds(50);
  TestServer server([](Exchange&) -> Task<Response> { co_return text_response(std::string(64 << 20, 'x')); },
                    limits);
  RawSocket client = server.connect();
  client.send(get("/"));
  while (server.server().connections() == 0) std::this_thread::yield();
  while (server.server().connections() != 0) std::this_thread::yield();
}

TEST(Server, drains) {
  std::promise<void> begun;
  TestServer server([&](Exchange& exchange) -> Task<Response> {
    if (exchange.head().path == "/slow") {
      begun.set_value();
      const Executor executor = co_await asio::this_coro::executor;
      Timer timer(executor, milliseconds(50));
      co_await timer.async_wait(kAwait);
    }
    co_return text_response("done");
  });
  RawSocket idle = server.connect();
  idle.send(get("/"));
  idle.read_message();
  RawSocket busy = server.connect();
  busy.send(get("/slow"));
  begun.get_future().wait();
  EXPECT_FALSE(server.server().drained());
  server.server().drain(seconds(20));
  EXPECT_EQ(idle.read_all(), "");
  const std::string answer = busy.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  busy.close();
  while (!server.server().drained()) std::this_thread::yield();
  EXPECT_FALSE(server.connect().is_open());
}

TEST(Server, closes_what_is_left_when_the_grace_is_over) {
  Patient patient;
  TestServer server([&](Exchange& exchange) { return patient.handle(exchange); });
  RawSocket client = server.connect();
  client.send(get("/"));
  patient.begun.get_future().wait();
  server.server().drain(milliseconds(10));
  EXPECT_EQ(client.read_all(), "");
  while (!server.server().drained()) std::this_thread::yield();
}

TEST(Server, caps_its_connections) {
  ServerLimits limits;
  limits.connections = 2;
  TestServer server(echo, limits);
  RawSocket first = server.connect();
  RawSocket second = server.connect();
  for (RawSocket* client : {&first, &second}) {
    client->send(get("/"));
    EXPECT_TRUE(client->read_message().starts_with("HTTP/1.1 200"));
  }
  EXPECT_EQ(server.connect().read_all(), "");
  first.close();
  while (server.server().connections() == 2) std::this_thread::yield();
  RawSocket third = server.connect();
  third.send(get("/"));
  EXPECT_TRUE(third.read_message().starts_with("HTTP/1.1 200"));
}

TEST(Server, spreads_connections_over_its_threads) {
  std::mutex mutex;
  std::map<std::thread::id, int> answered;
  TestServer server(
      [&](Exchange& exchange) -> Task<Response> {
        {
          const std::scoped_lock lock(mutex);
          ++answered[std::this_thread::get_id()];
        }
        return echo(exchange);
      },
      {}, {}, 4);
  std::vector<RawSocket> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(server.connect());
  for (RawSocket& client : clients) client.send(post("x") + post("y"));
  for (RawSocket& client : clients) {
    EXPECT_EQ(body_of(client.read_message()), "POST /p? [x]");
    EXPECT_EQ(body_of(client.read_message()), "POST /p? [y]");
  }
  EXPECT_EQ(answered.size(), 4U);
  for (const auto& [thread, count] : answered) EXPECT_EQ(count, 20);
}

TEST(Server, serves_many_clients_on_many_threads) {
  TestServer server(echo, {}, {}, 2);
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        RawSocket client = server.connect();
        const std::string body = std::to_string(t) + "-" + std::to_string(i);
        client.send(post(body) + post(body));
        for (int k = 0; k < 2; ++k)
          good += body_of(client.read_message()) == "POST /p? [" + body + "]" ? 1 : 0;
        if (i % 3 == 0) client.reset();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 4 * 50 * 2);
}

TEST(Server, holds_ten_thousand_idle_connections) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  rlimit raised = files;
  raised.rlim_cur = std::min<rlim_t>(files.rlim_max, 21'000);
  ::setrlimit(RLIMIT_NOFILE, &raised);
  const std::size_t count = std::min<std::size_t>(10'000, (raised.rlim_cur - 200) / 2);
  TestServer server(echo);
  std::vector<RawSocket> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(server.connect());
    ASSERT_TRUE(clients.back().is_open()) << i;
    clients.back().send(get("/"));
    clients.back().read_message();
  }
  EXPECT_EQ(server.server().connections(), count);
  for (const std::size_t i : {std::size_t{0}, count / 2, count - 1}) {
    clients[i].send(post("still there"));
    EXPECT_EQ(body_of(clients[i].read_message()), "POST /p? [still there]");
  }
  for (RawSocket& client : clients) client.reset();
  while (server.server().connections() != 0) std::this_thread::yield();
}

TEST(Server, keeps_accepting_after_it_ran_out_of_descriptors) {
  TestServer server(echo);
  RawSocket before = server.connect();
  before.send(get("/"));
  before.read_message();
  RawSocket waiting = server.connect();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  rlimit none = files;
  none.rlim_cur = 3;  // below every descriptor in use: each further one fails
  RawSocket spare(::dup(before.fd()));
  ::setrlimit(RLIMIT_NOFILE, &none);
  before.send(get("/"));
  EXPECT_TRUE(before.read_message().starts_with("HTTP/1.1 200"));
  ::setrlimit(RLIMIT_NOFILE, &files);
  RawSocket later = server.connect();
  later.send(get("/"));
  EXPECT_TRUE(later.read_message().starts_with("HTTP/1.1 200"));
}

TEST(Server, says_what_is_wrong_with_its_address) {
  for (const char* address :
       {"", "8080", "host:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:80", "1.2.3:4"}) {
    EXPECT_FALSE(Server::listen(address, {}, {})) << address;
  }
  auto first = Server::listen("127.0.0.1:0", {}, {});
  ASSERT_TRUE(first);
  const auto second = Server::listen("127.0.0.1:" + std::to_string((*first)->port()), {}, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("the port is taken"), std::string::npos);
  EXPECT_FALSE(Server::listen("203.0.113.7:0", {}, {}));
}

}  // namespace
}  // namespace embedrouter::net
