#include "net/client.h"

#include <gtest/gtest.h>

#include <future>

#include "net/test_caller.h"
#include "net/test_server.h"
#include "net/test_upstream.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Caller;
using testing::kGood;
using testing::RawSocket;
using testing::says;
using testing::TestServer;
using testing::Upstream;

TEST(Url, is_taken_apart) {
  const auto url = Url::parse("https://example.org/v1/");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->path, "/v1");
  EXPECT_EQ(url->authority(), "example.org");
  const auto local = Url::parse("HTTP://[::1]:8080");
  ASSERT_TRUE(local);
  EXPECT_FALSE(local->tls);
  EXPECT_EQ(local->host, "::1");
  EXPECT_EQ(local->path, "");
  EXPECT_EQ(local->authority(), "[::1]:8080");
  for (const char* bad : {"", "example.org", "ftp://h", "http://", "http://:80", "http://h:", "http://h:0",
                          "http://h:x", "http://h:70000", "http://u:p@h", "http://h/?q", "http://h/#f",
                          "http://h /", "http://[::1", "http://[::1]8080", "http://h\r\n"}) {
    EXPECT_FALSE(Url::parse(bad)) << bad;
  }
}

TEST(Client, sends_a_whole_request_and_gets_a_whole_answer) {
  std::promise<std::string> heard;
  Upstream upstream(1, [&](RawSocket& socket, int) {
    heard.set_value(socket.read_message());
    socket.send("HTTP/1.1 201 Made\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello");
  });
  Caller caller(upstream.port());
  const auto answer = caller.post("abc");
  ASSERT_TRUE(answer) << answer.error().detail();
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->headers.find("x-a"), "b");
  EXPECT_EQ(answer->body->view(), "hello");
  EXPECT_EQ(heard.get_future().get(),
            "POST /p HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(upstream.port()) +
                "\r\nAccept-Encoding: identity\r\nContent-Type: text/plain\r\n"
                "Content-Length: 3\r\n\r\nabc");
}

TEST(Client, reads_every_kind_of_body) {
  struct Case {
    std::string answer, body;
  };
  const std::string large(300'000, 'y');
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + large, large},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + large + "\r\n0\r\nT: t\r\n\r\n",
       large},
      {"HTTP/1.1 200 OK\r\n\r\n" + large, large},
      {"HTTP/1.0 200 OK\r\n\r\nold", "old"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", "no"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + std::string(kGood), "ok"},
  };
  for (const Case& c : cases) {
    Upstream upstream(1, says(c.answer));
    Caller caller(upstream.port());
    const auto answer = caller.post("x");
    ASSERT_TRUE(answer) << c.answer.substr(0, 80) << answer.error().detail();
    EXPECT_EQ(answer->body->view(), c.body) << c.answer.substr(0, 80);
  }
}

TEST(Client, reads_an_answer_byte_by_byte) {
  for (const std::string& answer_text :
       {std::string(kGood),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n")}) {
    Upstream upstream(1, [&](RawSocket& socket, int) {
      socket.read_message();
      for (const char c : answer_text) socket.send(std::string_view(&c, 1));
    });
    Caller caller(upstream.port());
    const auto answer = caller.post("x");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body->view(), "ok");
  }
}

TEST(Client, tells_a_cut_answer_from_a_whole_one_at_every_byte) {
  for (const std::string& answer_text :
       {std::string(kGood),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")}) {
    Upstream upstream(static_cast<int>(answer_text.size()) * 2, [&](RawSocket& socket, int i) {
      socket.read_message();
      socket.send(std::string_view(answer_text).substr(0, static_cast<std::size_t>(i / 2)));
      if (i % 2 == 1) socket.reset();
    });
    Caller caller(upstream.port());
    for (std::size_t i = 0; i < answer_text.size() * 2; ++i) {
      const auto answer = caller.post("x");
      ASSERT_FALSE(answer) << i;
      EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable) << i << answer.error().detail();
      EXPECT_FALSE(answer.error().detail().empty());
    }
  }
}

TEST(Client, refuses_what_is_not_an_answer) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& text :
       {std::string("hello\n"), std::string("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), chunked + "zz\r\n",
        std::string("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"),
        std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n",
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"),
        chunked + "3e9\r\n" + std::string(1001, 'x'), "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')}) {
    ClientLimits limits;
    limits.body_bytes = 1000;
    Upstream upstream(1, says(text));
    Caller caller(upstream.port(), {}, limits);
    const auto answer = caller.post("x");
    ASSERT_FALSE(answer) << text.substr(0, 80);
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_invalid_answer) << text.substr(0, 80);
  }
}

TEST(Client, reuses_connections) {
  Upstream upstream(1, [](RawSocket& socket, int) {
    for (int i = 0; i < 3; ++i) {
      socket.read_message();
      socket.send(kGood);
    }
  });
  Caller caller(upstream.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(caller.post("x"));
    EXPECT_EQ(caller.client().idle_connections(), 1U);
  }
}

TEST(Client, does_not_reuse_what_should_close) {
  for (const std::string& text :
       {std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
        std::string(kGood) + "extra", std::string("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")}) {
    Upstream upstream(1, says(text));
    Caller caller(upstream.port());
    ASSERT_TRUE(caller.post("x"));
    EXPECT_EQ(caller.client().idle_connections(), 0U) << text;
  }
}

TEST(Client, never_takes_stray_bytes_for_the_next_answer) {
  std::promise<void> answered, stray_sent;
  Upstream upstream(2, [&](RawSocket& socket, int i) {
    socket.read_message();
    socket.send(kGood);
    if (i == 0) {
      answered.get_future().wait();
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray");
      stray_sent.set_value();
      socket.read_all();
    }
  });
  {
    Caller caller(upstream.port());
    ASSERT_TRUE(caller.post("x"));
    EXPECT_EQ(caller.client().idle_connections(), 1U);
    answered.set_value();
    stray_sent.get_future().wait();  // in the socket, not yet seen by the client
    // The second connection answers only after the first was closed.
    const auto answer = caller.post("y");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body->view(), "ok");
  }
}

TEST(Client, drops_an_idle_connection_that_the_upstream_closes) {
  std::promise<void> close;
  Upstream upstream(1, [&](RawSocket& socket, int) {
    socket.read_message();
    socket.send(kGood);
    close.get_future().wait();
  });
  Caller caller(upstream.port());
  ASSERT_TRUE(caller.post("x"));
  EXPECT_EQ(caller.client().idle_connections(), 1U);
  close.set_value();
  caller.run_until([&] { return caller.client().idle_connections() == 0; });
}

TEST(Client, lets_idle_connections_age) {
  ClientLimits limits;
  limits.idle_timeout = milliseconds(10);
  Upstream upstream(1, [&](RawSocket& socket, int) {
    socket.read_message();
    socket.send(kGood);
    EXPECT_EQ(socket.read_all(), "");
  });
  Caller caller(upstream.port(), {}, limits);
  ASSERT_TRUE(caller.post("x"));
  caller.run_until([&] { return caller.client().idle_connections() == 0; });
}

TEST(Client, sends_again_once_when_a_reused_connection_dies_unheard) {
  std::atomic<int> requests = 0;
  Upstream upstream(2, [&](RawSocket& socket, int i) {
    socket.read_message();
    ++requests;
    socket.send(kGood);
    if (i > 0) return;
    socket.read_message();
    ++requests;
  });
  Caller caller(upstream.port());
  ASSERT_TRUE(caller.post("first"));
  const auto answer = caller.post("second");
  ASSERT_TRUE(answer) << answer.error().detail();
  EXPECT_EQ(answer->body->view(), "ok");
  EXPECT_EQ(requests, 3);
}

TEST(Client, does_not_send_again_after_a_byte_was_heard) {
  Upstream upstream(1, [&](RawSocket& socket, int) {
    socket.read_message();
    socket.send(kGood);
    socket.read_message();
    socket.send("H");
  });
  Caller caller(upstream.port());
  ASSERT_TRUE(caller.post("first"));
  const auto answer = caller.post("second");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
}

TEST(Client, hears_a_refusal_while_it_is_still_sending) {
  for (const bool reads_on : {false, true}) {
    std::promise<void> done;
    Upstream upstream(1, [&](RawSocket& socket, int) {
      socket.read_until("\r\n\r\n");
      socket.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
      if (reads_on) socket.shutdown_send();
      done.get_future().wait();
    });
    Caller caller(upstream.port());
    const auto answer = caller.post(std::string(32 << 20, 'x'));
    done.set_value();
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, 413);
    EXPECT_EQ(caller.client().idle_connections(), 0U);
  }
}

TEST(Client, keeps_every_deadline_apart) {
  ClientDeadlines deadlines;
  deadlines.first_byte = milliseconds(20);
  deadlines.idle = milliseconds(20);
  for (const std::string& text : {std::string(), std::string("HTTP/1.1 2"),
                                  std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"),
                                  std::string("HTTP/1.1 200 OK\r\n\r\nok"),
                                  std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")}) {
    std::promise<void> done;
    Upstream upstream(1, [&](RawSocket& socket, int) {
      socket.read_message();
      socket.send(text);
      done.get_future().wait();
    });
    Caller caller(upstream.port(), deadlines);
    const auto answer = caller.post("x");
    done.set_value();
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_timeout) << text;
    const std::string expected = text.empty() ? "waiting for the upstream's answer took too long"
                                              : "waiting for the rest of the upstream's answer took too long";
    EXPECT_EQ(answer.error().message(), expected);
  }
}

TEST(Client, does_not_send_again_after_an_answer_that_came_early_and_was_cut) {
  ClientDeadlines deadlines;
  deadlines.first_byte = milliseconds(500);
  std::promise<void> done;
  Upstream upstream(1, [&](RawSocket& socket, int) {
    socket.read_message();
    socket.send(kGood);
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\nno");
    socket.shutdown_send();
    done.get_future().wait();
  });
  Caller caller(upstream.port(), deadlines);
  ASSERT_TRUE(caller.post("first"));
  const auto answer = caller.post(std::string(32 << 20, 'x'));
  done.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "the upstream closed the connection in the middle of its answer");
}

TEST(Client, gives_what_follows_an_interim_answer_the_time_of_a_first_byte) {
  ClientDeadlines deadlines;
  deadlines.idle = milliseconds(30);
  Upstream upstream(1, [](RawSocket& socket, int) {
    socket.read_message();
    socket.send("HTTP/1.1 102 Processing\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(200));
    socket.send(kGood);
  });
  Caller caller(upstream.port(), deadlines);
  const auto answer = caller.post("x");
  ASSERT_TRUE(answer) << answer.error().message();

  deadlines.first_byte = milliseconds(30);
  std::promise<void> done;
  Upstream silent(1, [&](RawSocket& socket, int) {
    socket.read_message();
    socket.send("HTTP/1.1 102 Processing\r\n\r\n");
    done.get_future().wait();
  });
  Caller hasty(silent.port(), deadlines);
  const auto none = hasty.post("x");
  done.set_value();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message(), "waiting for the upstream's answer took too long");
}

TEST(Client, keeps_the_requests_own_deadline) {
  std::promise<void> done;
  Upstream upstream(1, [&](RawSocket& socket, int) {
    socket.read_message();
    done.get_future().wait();
  });
  Caller caller(upstream.port());
  const auto answer = caller.post("x", steady_now() + milliseconds(20));
  done.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_timeout);
  EXPECT_EQ(answer.error().detail(), "the request's own deadline");
  EXPECT_EQ(caller.post("x", steady_now()).error().code(), ErrorCode::upstream_timeout);
}

TEST(Client, says_when_nobody_listens) {
  unsigned short port = 0;
  {
    const RawSocket gone = RawSocket::listen();
    port = gone.port();
  }
  Caller caller(port);
  const auto answer = caller.post("x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
  EXPECT_NE(answer.error().detail().find("connecting to 127.0.0.1"), std::string::npos);
}

TEST(Client, tries_every_address_of_a_name) {
  Upstream upstream(1, says(std::string(kGood)));  // on 127.0.0.1 alone; localhost may also be ::1
  Caller caller(upstream.port(), {}, {}, "http://localhost");
  const auto answer = caller.post("x");
  ASSERT_TRUE(answer) << answer.error().detail();
}

TEST(Client, closes_at_once_when_its_task_is_cancelled) {
  std::promise<void> heard;
  std::promise<std::string> rest;
  Upstream upstream(1, [&](RawSocket& socket, int) {
    socket.read_message();
    heard.set_value();
    rest.set_value(socket.read_all());
  });
  Caller caller(upstream.port());
  asio::cancellation_signal cancel;
  bool done = false;
  caller.begin("", cancel, [&](const std::exception_ptr&, const Result<ClientResponse>& answer) {
    EXPECT_EQ(answer.error().code(), ErrorCode::client_closed);
    done = true;
  });
  auto was_heard = heard.get_future();
  caller.run_until_ready(was_heard);
  cancel.emit(asio::cancellation_type::terminal);
  caller.run_until([&] { return done; });
  EXPECT_EQ(rest.get_future().get(), "");
}

TEST(Client, refuses_to_send_what_would_be_two_requests) {
  const RawSocket upstream = RawSocket::listen();
  Caller caller(upstream.port());
  ClientRequest request;
  request.target = "/ HTTP/1.1\r\nX: y";
  EXPECT_EQ(caller.send(std::move(request)).error().code(), ErrorCode::internal);
}

TEST(ClientAndServer, talk_to_each_other) {
  TestServer server([](Exchange& exchange) -> Task<Response> {
    auto body = co_await exchange.read_body(64 << 20);
    Response response;
    response.body.append(std::string(body->view()));
    co_return response;
  });
  Caller caller(server.port());
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 16'384, 100'000, 10'000'000}) {
    const std::string text(size, 'z');
    const auto answer = caller.post(text);
    ASSERT_TRUE(answer) << size << answer.error().message();
    EXPECT_TRUE(answer->body->view() == text) << size;
  }
  EXPECT_EQ(caller.client().idle_connections(), 1U);
  EXPECT_EQ(server.server().connections(), 1U);
}

}  // namespace
}  // namespace embedrouter::net
