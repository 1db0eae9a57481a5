#include <gtest/gtest.h>
#include <zstd.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "net/test_caller.h"
#include "net/test_http2.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using testing::Caller;
using testing::Frame;
using testing::Http2Context;
using testing::Http2Peer;
using testing::RawSocket;
using testing::TestCertificate;

constexpr std::uint32_t kRefused = 7, kCancel = 8, kCalm = 11, kHttp11 = 13;
constexpr std::uint16_t kMaxStreams = 3, kWindow = 4;

// An upstream of exact frames: `script` talks to each connection in turn, each on its own thread.
class Upstream {
 public:
  using Script = std::function<void(Http2Peer&, int)>;
  Upstream(int connections, Script script, bool http2 = true)
      : context_(certificate_, http2), listener_(RawSocket::listen()), script_(std::move(script)) {
    thread_ = std::thread([this, connections] {
      std::vector<std::thread> threads;
      for (int i = 0; i < connections; ++i) {
        threads.emplace_back([this, i, socket = listener_.accept()]() mutable {
          Http2Peer peer(socket, context_.get());
          script_(peer, i);
        });
      }
      for (std::thread& each : threads) each.join();
    });
  }
  ~Upstream() { thread_.join(); }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  ClientOptions options() const {
    ClientOptions options;
    options.tls.ca_file = certificate_.cert_file();
    return options;
  }
  Caller caller() const { return caller(options()); }
  Caller caller(const ClientOptions& options) const { return Caller(port(), "https://127.0.0.1", options); }
  unsigned short port() const { return listener_.port(); }

 private:
  TestCertificate certificate_;
  Http2Context context_;
  RawSocket listener_;
  Script script_;
  std::thread thread_;
};

// Sends `count` requests at once and counts their ends.
struct Batch {
  Batch(Caller& caller, int count) {
    for (int i = 0; i < count; ++i) {
      ClientRequest request;
      request.target = "/p";
      request.body.append("text " + std::to_string(i));
      asio::co_spawn(caller.io(), caller.client().send(std::move(request)),
                     [this](const std::exception_ptr&, const Result<ClientResponse>& answer) {
                       ++ended;
                       if (answer && answer->body->view() == "ok") ++good;
                       if (!answer) last_failure = answer.error().message() + " " + answer.error().detail();
                     });
    }
    caller.run_until([&] { return ended == count; });
  }
  int ended = 0, good = 0;
  std::string last_failure;
};

TEST(Http2Client, carries_many_requests_on_one_connection) {
  Upstream upstream(1, [](Http2Peer& peer, int) {
    EXPECT_TRUE(peer.chose_http2());
    peer.greet();
    std::vector<std::uint32_t> streams;
    for (int i = 0; i < 50; ++i) streams.push_back(peer.read_request());
    for (auto each = streams.rbegin(); each != streams.rend(); ++each) peer.answer(*each);
    peer.drain();
  });
  Caller caller = upstream.caller();
  const Batch batch(caller, 50);
  EXPECT_EQ(batch.good, 50) << batch.last_failure;
  EXPECT_EQ(caller.client().idle_connections(), 1U);
}

TEST(Http2Client, carries_bodies_larger_than_every_window) {
  const std::string large(3'000'000, 'x');
  Upstream upstream(1, [&](Http2Peer& peer, int) {
    peer.greet(testing::settings_frame(kWindow, 1000));
    const std::uint32_t stream = peer.read_request();
    EXPECT_TRUE(peer.body() == large);
    peer.send(Frame::headers, 4, stream, "\x88");
    for (int i = 0; i < 500; ++i) peer.send(Frame::data, i == 499 ? 1 : 0, stream, std::string(16'000, 'y'));
    peer.drain();
  });
  Caller caller = upstream.caller();
  const auto answer = caller.post(large);
  ASSERT_TRUE(answer) << answer.error().detail();
  EXPECT_TRUE(answer->body->view() == std::string(8'000'000, 'y'));
}

TEST(Http2Client, keeps_the_upstreams_limit_of_one_stream) {
  constexpr int kRequests = 6;
  std::atomic<int> too_many = 0;
  Upstream upstream(kRequests, [&](Http2Peer& peer, int) {
    peer.greet(testing::settings_frame(kMaxStreams, 1));
    while (const std::uint32_t stream = peer.read_request()) {
      // Whatever else was on its way comes before the ping's answer.
      peer.send(Frame::ping, 0, 0, "12345678");
      for (Frame frame = peer.read(); !frame.ended() && frame.type != Frame::ping; frame = peer.read()) {
        if (frame.type == Frame::headers) ++too_many;
      }
      peer.answer(stream);
    }
  });
  {
    Caller caller = upstream.caller();
    // The limit is known once the first answer is there.
    EXPECT_TRUE(caller.post("first"));
    const Batch batch(caller, kRequests);
    EXPECT_EQ(batch.good, kRequests) << batch.last_failure;
    EXPECT_EQ(too_many, 0);
    // The script expects that many connections; those not needed are opened here.
    for (std::size_t i = caller.client().idle_connections(); i < kRequests; ++i) {
      RawSocket::connect(upstream.port()).close();
    }
  }
}

TEST(Http2Client, obeys_settings_that_change_in_mid_flight) {
  Upstream upstream(1, [](Http2Peer& peer, int) {
    peer.greet();
    const std::uint32_t first = peer.read_request();
    peer.send(Frame::settings, 0, 0, testing::settings_frame(kWindow, 10));
    peer.answer(first);
    const std::uint32_t second = peer.read_request();
    EXPECT_EQ(peer.body(), std::string(5000, 'z'));
    peer.answer(second);
    peer.drain();
  });
  Caller caller = upstream.caller();
  ASSERT_TRUE(caller.post("a"));
  const auto answer = caller.post(std::string(5000, 'z'));
  ASSERT_TRUE(answer) << answer.error().detail();
}

TEST(Http2Client, sends_again_what_a_goaway_left_unprocessed) {
  Upstream upstream(2, [](Http2Peer& peer, int i) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    EXPECT_EQ(peer.body(), "replayed");
    if (i == 0) {
      peer.goaway(0);
    } else {
      peer.answer(stream);
    }
    peer.drain();
  });
  Caller caller = upstream.caller();
  const auto answer = caller.post("replayed");
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body->view(), "ok");
}

TEST(Http2Client, waits_for_what_a_goaway_says_is_processed) {
  Upstream upstream(2, [](Http2Peer& peer, int i) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    if (i == 0) peer.goaway(stream);
    peer.answer(stream);
    peer.drain();
  });
  Caller caller = upstream.caller();
  ASSERT_TRUE(caller.post("a"));
  ASSERT_TRUE(caller.post("b"));  // on another connection
}

TEST(Http2Client, sends_a_refused_stream_again) {
  Upstream upstream(2, [](Http2Peer& peer, int i) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    if (i == 0) {
      peer.reset_stream(stream, kRefused);
    } else {
      peer.answer(stream);
    }
    peer.drain();
  });
  Caller caller = upstream.caller();
  const auto answer = caller.post("a");
  ASSERT_TRUE(answer) << answer.error().message();
}

TEST(Http2Client, gives_up_on_an_upstream_that_refuses_everything) {
  Upstream upstream(4, [](Http2Peer& peer, int) {
    peer.greet();
    peer.reset_stream(peer.read_request(), kRefused);
    peer.drain();
  });
  Caller caller = upstream.caller();
  const auto answer = caller.post("a");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_overloaded);
}

TEST(Http2Client, is_calm_when_asked_to_be) {
  for (const bool by_goaway : {true, false}) {
    Upstream upstream(1, [&](Http2Peer& peer, int) {
      peer.greet();
      const std::uint32_t stream = peer.read_request();
      if (by_goaway) {
        peer.goaway(0, kCalm);
      } else {
        peer.reset_stream(stream, kCalm);
      }
      peer.drain();
    });
    Caller caller = upstream.caller();
    const auto answer = caller.post("a");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_rate_limited);
  }
}

TEST(Http2Client, does_not_repeat_what_may_have_been_processed) {
  Upstream upstream(1, [](Http2Peer& peer, int) {
    peer.greet();
    peer.reset_stream(peer.read_request(), kCancel);
    peer.drain();
  });
  Caller caller = upstream.caller();
  const auto answer = caller.post("a");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
}

TEST(Http2Client, sends_again_once_when_a_reused_connection_dies_unheard) {
  Upstream upstream(2, [](Http2Peer& peer, int i) {
    peer.greet();
    peer.answer(peer.read_request());
    const std::uint32_t second = peer.read_request();
    if (i == 0) return;  // closes
    peer.answer(second);
    peer.drain();
  });
  Caller caller = upstream.caller();
  ASSERT_TRUE(caller.post("first"));
  EXPECT_TRUE(caller.post("second"));
  EXPECT_TRUE(caller.post("third"));
}

TEST(Http2Client, sends_all_that_a_lost_connection_carried_again_on_one) {
  constexpr int kRequests = 20;
  Upstream upstream(2, [](Http2Peer& peer, int i) {
    peer.greet();
    if (i == 0) peer.answer(peer.read_request());
    std::vector<std::uint32_t> streams;
    for (int n = 0; n < kRequests; ++n) streams.push_back(peer.read_request());
    if (i == 0) return;  // closes
    for (const std::uint32_t each : streams) peer.answer(each);
    peer.drain();
  });
  Caller caller = upstream.caller();
  ASSERT_TRUE(caller.post("first"));
  const Batch batch(caller, kRequests);
  EXPECT_EQ(batch.good, kRequests) << batch.last_failure;
  EXPECT_EQ(caller.client().idle_connections(), 1U);
}

TEST(Http2Client, keeps_no_more_idle_connections_than_it_may) {
  std::atomic<int> asked = 0;
  Upstream upstream(3, [&](Http2Peer& peer, int) {
    peer.greet(testing::settings_frame(kMaxStreams, 1));
    const std::uint32_t stream = peer.read_request();
    ++asked;
    while (asked < 3) std::this_thread::sleep_for(milliseconds(1));
    peer.answer(stream);
    peer.drain();
  });
  ClientOptions options = upstream.options();
  options.limits.idle_connections = 1;
  Caller caller = upstream.caller(options);
  const Batch batch(caller, 3);
  EXPECT_EQ(batch.good, 3) << batch.last_failure;
  EXPECT_EQ(caller.client().idle_connections(), 1U);
}

TEST(Http2Client, gives_what_follows_an_interim_answer_the_time_of_a_first_byte) {
  const std::string processing =
      "\x08\x03"
      "102";
  Upstream upstream(1, [&](Http2Peer& peer, int) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    peer.send(Frame::headers, 4, stream, processing);
    std::this_thread::sleep_for(milliseconds(200));
    peer.answer(stream);
    peer.drain();
  });
  ClientOptions options = upstream.options();
  options.deadlines.idle = milliseconds(30);
  Caller caller = upstream.caller(options);
  const auto answer = caller.post("x");
  ASSERT_TRUE(answer) << answer.error().message();
}

TEST(Http2Client, tells_a_cut_answer_from_a_whole_one) {
  Upstream upstream(1, [](Http2Peer& peer, int) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    peer.send(Frame::headers, 4, stream, "\x88");
    peer.send(Frame::data, 0, stream, "half");
  });
  Caller caller = upstream.caller();
  const auto answer = caller.post("a");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
  EXPECT_NE(answer.error().message().find("in the middle"), std::string::npos);
}

TEST(Http2Client, keeps_every_deadline_apart) {
  for (const bool heard : {false, true}) {
    Upstream upstream(1, [&](Http2Peer& peer, int) {
      peer.greet();
      const std::uint32_t stream = peer.read_request();
      if (heard) peer.send(Frame::headers, 4, stream, "\x88");
      peer.drain();
    });
    ClientOptions options = upstream.options();
    options.deadlines.first_byte = milliseconds(heard ? 20'000 : 30);
    options.deadlines.idle = milliseconds(heard ? 30 : 20'000);
    Caller caller = upstream.caller(options);
    const auto answer = caller.post("a");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_timeout);
    EXPECT_EQ(answer.error().message(), heard ? "waiting for the rest of the upstream's answer took too long"
                                              : "waiting for the upstream's answer took too long");
  }
}

TEST(Http2Client, bounds_headers_and_bodies) {
  for (const bool header : {false, true}) {
    Upstream upstream(1, [&](Http2Peer& peer, int) {
      peer.greet();
      const std::uint32_t stream = peer.read_request();
      // A literal field without indexing, its value 10,000 bytes (7-bit prefix, then 10,000 - 127).
      const std::string field = std::string("\x88\x00\x01x\x7f\x91\x4d", 7) + std::string(10'000, 'v');
      peer.send(Frame::headers, 4, stream, header ? field : "\x88");
      if (!header) peer.send(Frame::data, 1, stream, std::string(10'000, 'b'));
      peer.drain();
    });
    ClientOptions options = upstream.options();
    options.limits.header_bytes = 5000;
    options.limits.body_bytes = 5000;
    Caller caller = upstream.caller(options);
    const auto answer = caller.post("a");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_invalid_answer);
    EXPECT_NE(answer.error().message().find("too large"), std::string::npos) << answer.error().message();
  }
}

TEST(Http2Client, refuses_what_is_not_http2) {
  Upstream upstream(1, [](Http2Peer& peer, int) {
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.drain();
  });
  Caller caller = upstream.caller();
  ASSERT_FALSE(caller.post("a"));
}

TEST(Http2Client, speaks_http11_where_it_is_told_to) {
  std::atomic<int> http2_connections = 0;
  Upstream upstream(1, [&](Http2Peer& peer, int) {
    if (peer.chose_http2()) ++http2_connections;
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.drain();
  });
  ClientOptions options = upstream.options();
  options.http2 = false;
  {
    Caller caller = upstream.caller(options);
    EXPECT_TRUE(caller.post("a"));
  }
  EXPECT_EQ(http2_connections, 0);
}

TEST(Http2Client, goes_back_to_http11_where_the_upstream_requires_it) {
  Upstream upstream(2, [](Http2Peer& peer, int i) {
    if (i == 0) {
      peer.greet();
      peer.reset_stream(peer.read_request(), kHttp11);
    } else {
      EXPECT_FALSE(peer.chose_http2());
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    peer.drain();
  });
  Caller caller = upstream.caller();
  // The first connection has room, but not for HTTP/1.1.
  const auto answer = caller.post("a");
  ASSERT_TRUE(answer) << answer.error().message();
}

TEST(Http2Client, resets_the_stream_when_its_task_is_cancelled) {
  std::promise<void> heard;
  std::promise<std::uint8_t> next;
  Upstream upstream(1, [&](Http2Peer& peer, int) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    heard.set_value();
    for (Frame frame = peer.read(); !frame.ended(); frame = peer.read()) {
      if (frame.type != Frame::rst_stream || frame.stream != stream) continue;
      next.set_value(frame.type);
      break;
    }
    peer.drain();
  });
  {
    Caller caller = upstream.caller();
    asio::cancellation_signal cancel;
    bool done = false;
    caller.begin("x", cancel, [&](const std::exception_ptr&, const Result<ClientResponse>& answer) {
      EXPECT_EQ(answer.error().code(), ErrorCode::client_closed);
      done = true;
    });
    auto was_heard = heard.get_future();
    caller.run_until_ready(was_heard);
    cancel.emit(asio::cancellation_type::terminal);
    caller.run_until([&] { return done; });
    auto reset = next.get_future();
    caller.run_until_ready(reset);
    EXPECT_EQ(caller.client().idle_connections(), 1U);
  }
}

// A coroutine that decodes learns of it between two steps, by an exception.
TEST(Http2Client, resets_the_stream_when_its_task_is_cancelled_while_it_decodes) {
  const std::string text(200'000'000, ' ');
  std::string bomb(ZSTD_compressBound(text.size()), '\0');
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), text.data(), text.size(), 1));
  bomb.pop_back();
  std::promise<void> sent;
  std::promise<bool> reset;
  Upstream upstream(1, [&](Http2Peer& peer, int) {
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    peer.send(Frame::headers, 4, stream, "\x88\x0f\x0b\x04zstd");
    for (std::size_t at = 0; at < bomb.size(); at += 16'000)
      peer.send(Frame::data, 0, stream, std::string_view(bomb).substr(at, 16'000));
    sent.set_value();
    Frame frame = peer.read();
    while (!frame.ended() && frame.type != Frame::rst_stream) frame = peer.read();
    reset.set_value(frame.type == Frame::rst_stream && frame.stream == stream);
    peer.drain();
  });
  Caller caller = upstream.caller();
  asio::cancellation_signal cancel;
  bool done = false;
  caller.begin("", cancel, [&](const std::exception_ptr& thrown, const Result<ClientResponse>&) {
    EXPECT_TRUE(thrown);
    done = true;
  });
  auto was_sent = sent.get_future();
  caller.run_until_ready(was_sent);
  for (int i = 0; i < 30; ++i) caller.io().run_one_for(milliseconds(10));
  ASSERT_FALSE(done);
  cancel.emit(asio::cancellation_type::terminal);
  caller.run_until([&] { return done; });
  auto was_reset = reset.get_future();
  caller.run_until_ready(was_reset);
  EXPECT_TRUE(was_reset.get());
}

}  // namespace
}  // namespace embedrouter::net
