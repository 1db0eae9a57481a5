// How a client gets to an upstream and what it takes from one: addresses, proxies, identities, codings,
// redirects.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zlib.h>

#include <atomic>
#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "net/proxy.h"
#include "net/test_caller.h"
#include "net/test_http2.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using testing::Caller;
using testing::Http2Context;
using testing::Http2Peer;
using testing::RawSocket;
using testing::TestCertificate;

constexpr std::string_view kGood = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Talks to each of `connections` in turn on 127.0.0.1.
class Upstream {
 public:
  using Script = std::function<void(RawSocket&, int)>;
  Upstream(int connections, Script script)
      : listener_(RawSocket::listen()), thread_([this, connections, script = std::move(script)] {
          for (int i = 0; i < connections; ++i) {
            RawSocket socket = listener_.accept();
            script(socket, i);
          }
        }) {}
  ~Upstream() { thread_.join(); }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  unsigned short port() const { return listener_.port(); }

 private:
  RawSocket listener_;
  std::thread thread_;
};

Upstream::Script says(std::string answer) {
  return [answer = std::move(answer)](RawSocket& socket, int) {
    socket.read_message();
    socket.send(answer);
  };
}

std::vector<asio::ip::address> addresses(std::initializer_list<const char*> texts) {
  std::vector<asio::ip::address> all;
  for (const char* text : texts) all.push_back(asio::ip::make_address(text));
  return all;
}

// --- addresses

TEST(ClientAddresses, tries_the_next_when_one_is_dead) {
  Upstream upstream(1, says(std::string(kGood)));
  ClientOptions options;
  options.lookup = [](const std::string&) { return addresses({"127.0.0.2", "127.0.0.3", "127.0.0.1"}); };
  Caller caller(upstream.port(), "http://upstream.test", options);
  const auto answer = caller.post("x");
  ASSERT_TRUE(answer) << answer.error().detail();
}

// An address that neither takes nor refuses connections: its queue is full.
class SilentAddress {
 public:
  SilentAddress(const char* address, unsigned short port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &where.sin_addr);
    const auto* name = reinterpret_cast<const sockaddr*>(&where);
    sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::bind(sockets_.back().fd(), name, sizeof where), 0);
    ::listen(sockets_.back().fd(), 0);
    for (int i = 0; i < 4; ++i) {
      sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(sockets_.back().fd(), name, sizeof where);
    }
  }

 private:
  std::vector<RawSocket> sockets_;
};

TEST(ClientAddresses, does_not_wait_for_one_that_is_silent) {
  Upstream upstream(1, says(std::string(kGood)));
  const SilentAddress silent("127.0.0.2", upstream.port());
  ClientOptions options;
  options.deadlines.connect = std::chrono::seconds(20);
  options.lookup = [](const std::string&) { return addresses({"127.0.0.2", "127.0.0.1"}); };
  Caller caller(upstream.port(), "http://upstream.test", options);
  const Clock::Steady begun = steady_now();
  ASSERT_TRUE(caller.post("x"));
  EXPECT_LT(steady_now() - begun, options.deadlines.connect);
}

TEST(ClientAddresses, ends_at_the_deadline_when_all_are_silent) {
  const RawSocket port_holder = RawSocket::listen();
  const SilentAddress silent("127.0.0.2", port_holder.port());
  ClientOptions options;
  options.deadlines.connect = milliseconds(50);
  options.lookup = [](const std::string&) { return addresses({"127.0.0.2"}); };
  Caller caller(port_holder.port(), "http://upstream.test", options);
  const auto answer = caller.post("x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "waiting for a connection to the upstream took too long");
}

TEST(ClientAddresses, are_looked_up_again_when_one_fails) {
  Upstream upstream(1, says(std::string(kGood)));
  std::atomic<int> lookups = 0;
  ClientOptions options;
  options.lookup = [&](const std::string& host) {
    EXPECT_EQ(host, "upstream.test");
    return addresses({lookups++ == 0 ? "127.0.0.2" : "127.0.0.1"});
  };
  Caller caller(upstream.port(), "http://upstream.test", options);
  const auto dead = caller.post("x");
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code(), ErrorCode::upstream_unreachable);
  EXPECT_TRUE(caller.post("x"));
  EXPECT_EQ(lookups, 2);
}

TEST(ClientAddresses, serve_for_all_connections_of_a_few_seconds) {
  Upstream upstream(3, says(std::string(kGood)));
  std::atomic<int> lookups = 0;
  ClientOptions options;
  options.limits.age = milliseconds(0);
  options.lookup = [&](const std::string&) {
    ++lookups;
    return addresses({"127.0.0.1"});
  };
  Caller caller(upstream.port(), "http://upstream.test", options);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(caller.post("x"));
  EXPECT_EQ(lookups, 1);  // an answer is good for a few seconds
}

TEST(ClientAddresses, a_name_that_does_not_exist_is_said) {
  ClientOptions options;
  options.lookup = [](const std::string&) -> Result<std::vector<asio::ip::address>> {
    return fail(Error(ErrorCode::upstream_unreachable, "the upstream's name cannot be resolved"));
  };
  Caller caller(9, "http://nowhere.test", options);
  EXPECT_EQ(caller.post("x").error().message(), "the upstream's name cannot be resolved");
  const auto real = system_lookup("nowhere.invalid");
  ASSERT_FALSE(real);
  EXPECT_NE(real.error().detail().find("nowhere.invalid"), std::string::npos);
}

TEST(ClientAddresses, a_slow_name_server_ends_at_the_deadline_for_connecting) {
  std::promise<void> release;
  std::promise<void> ended;
  ClientOptions options;
  options.deadlines.connect = milliseconds(30);
  options.lookup = [&, released = release.get_future().share()](const std::string&) {
    released.wait();
    ended.set_value();
    return addresses({"127.0.0.1"});
  };
  {
    Caller caller(9, "http://slow.test", options);
    for (int i = 0; i < 2; ++i) {  // the second waits for the same lookup
      const auto answer = caller.post("x");
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().message(), "waiting for the upstream's address took too long");
    }
  }
  release.set_value();  // when nobody waits any more
  ended.get_future().wait();
}

// --- proxies

TEST(Proxy, is_read_from_its_url) {
  const auto proxy = Proxy::parse("http://us%40er:pa:ss@[::1]:3128");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->host, "::1");
  EXPECT_EQ(proxy->port, 3128);
  EXPECT_EQ(proxy->authorization, "Basic dXNAZXI6cGE6c3M=");
  EXPECT_EQ(Proxy::parse("http://proxy")->authorization, "");
  for (const char* bad :
       {"", "proxy:1", "https://proxy", "socks5://proxy", "http://proxy/path", "http://u%4:p@h"}) {
    EXPECT_FALSE(Proxy::parse(bad)) << bad;
  }
}

TEST(Proxy, is_bypassed_for_what_no_proxy_lists) {
  struct Case {
    const char *list, *host;
    bool bypassed;
  };
  const Case cases[] = {{"", "a.example", false},
                        {"*", "a.example", true},
                        {"b.example, A.example", "a.example", true},
                        {"example", "a.example", true},
                        {".example", "a.example", true},
                        {"a.example", "aa.example", false},
                        {"a.example:443", "a.example", true},
                        {"a.example:80", "a.example", false},
                        {"::1,[::2]:443", "::1", true},
                        {"::1,[::2]:443", "::2", true},
                        {"127.0.0.1", "127.0.0.11", false}};
  for (const Case& c : cases) EXPECT_EQ(bypasses_proxy(c.list, c.host, 443), c.bypassed) << c.list << c.host;
}

TEST(Proxy, of_plain_http_is_asked_for_absolute_urls) {
  std::promise<std::string> heard;
  Upstream proxy(1, [&](RawSocket& socket, int) {
    heard.set_value(socket.read_message());
    socket.send(kGood);
  });
  ClientOptions options;
  options.proxy = *Proxy::parse("http://u:p@127.0.0.1:" + std::to_string(proxy.port()));
  Caller caller(8080, "http://upstream.test", options);
  ASSERT_TRUE(caller.post("x"));
  const std::string text = heard.get_future().get();
  EXPECT_TRUE(text.starts_with("POST http://upstream.test:8080/p HTTP/1.1\r\nHost: upstream.test:8080\r\n"))
      << text;
  EXPECT_NE(text.find("\r\nProxy-Authorization: Basic dTpw\r\n"), std::string::npos);
}

TEST(Proxy, makes_a_tunnel_for_tls) {
  const TestCertificate certificate;
  const Http2Context context(certificate);
  std::promise<std::string> heard;
  Upstream proxy(1, [&](RawSocket& socket, int) {
    heard.set_value(socket.read_until("\r\n\r\n"));
    socket.send("HTTP/1.1 200 Connection established\r\n\r\n");
    Http2Peer upstream(socket, context.get());
    upstream.greet();
    upstream.answer(upstream.read_request());
    upstream.drain();
  });
  ClientOptions options;
  options.tls.ca_file = certificate.cert_file();
  options.proxy = *Proxy::parse("http://u:p@127.0.0.1:" + std::to_string(proxy.port()));
  Caller caller(4433, "https://localhost", options);
  const auto answer = caller.post("x");
  ASSERT_TRUE(answer) << answer.error().detail();
  EXPECT_EQ(answer->body->view(), "ok");
  EXPECT_EQ(
      heard.get_future().get(),
      "CONNECT localhost:4433 HTTP/1.1\r\nHost: localhost:4433\r\nProxy-Authorization: Basic dTpw\r\n\r\n");
}

TEST(Proxy, that_refuses_or_talks_nonsense_is_named) {
  for (const char* text : {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                           "hello\n", "HTTP/1.1 200 OK\r\n\r\nearly", ""}) {
    Upstream proxy(1, [&](RawSocket& socket, int) {
      socket.read_until("\r\n\r\n");
      socket.send(text);
    });
    ClientOptions options;
    options.proxy = *Proxy::parse("http://127.0.0.1:" + std::to_string(proxy.port()));
    Caller caller(443, "https://upstream.test", options);
    const auto answer = caller.post("x");
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
    EXPECT_NE(answer.error().message().find("proxy"), std::string::npos);
  }
}

// --- identity

TEST(ClientCertificate, is_shown_to_an_upstream_that_asks) {
  const TestCertificate server;
  const TestCertificate known;
  const TestCertificate stranger;
  const Http2Context context(server, true, known.cert_file());
  const TestCertificate* const shown[] = {&known, &stranger, nullptr};
  for (const TestCertificate* mine : shown) {
    Upstream upstream(1, [&](RawSocket& socket, int) {
      Http2Peer peer(socket, context.get());
      peer.greet();
      if (const std::uint32_t stream = peer.read_request()) peer.answer(stream);
      peer.drain();
    });
    ClientOptions options;
    options.tls.ca_file = server.cert_file();
    if (mine) {
      options.tls.cert_file = mine->cert_file();
      options.tls.key_file = mine->key_file();
    }
    Caller caller(upstream.port(), "https://127.0.0.1", options);
    const auto answer = caller.post("x");
    EXPECT_EQ(answer.has_value(), mine == &known);
    if (!answer) {
      EXPECT_EQ(answer.error().code(), ErrorCode::upstream_untrusted) << answer.error().detail();
    }
  }
}

TEST(ClientTls, a_handshake_that_stalls_ends_at_the_deadline_for_connecting) {
  std::promise<void> done;
  Upstream upstream(1, [&](RawSocket&, int) { done.get_future().wait(); });
  ClientOptions options;
  options.deadlines.connect = milliseconds(30);
  Caller caller(upstream.port(), "https://127.0.0.1", options);
  const auto answer = caller.post("x");
  done.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "waiting for a secure connection to the upstream took too long");
}

// --- what an answer may be

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string coded(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(ClientCoding, is_taken_off_whatever_was_asked_for) {
  const std::string large(3'000'000, 'l');
  struct Case {
    std::string answer, body;
  };
  const std::string text = gzip("whole");
  const Case cases[] = {
      {coded(text), "whole"},
      {coded(gzip(large)), large},
      {coded(text + gzip(" and more")), "whole and more"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + text, "whole"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n" +
           text.substr(0, 1) + "\r\n" + (std::ostringstream() << std::hex << text.size() - 1).str() + "\r\n" +
           text.substr(1) + "\r\n0\r\n\r\n",
       "whole"},
  };
  for (const Case& c : cases) {
    Upstream upstream(1, says(c.answer));
    Caller caller(upstream.port());
    const auto answer = caller.post("x");
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_TRUE(answer->body->view() == c.body);
  }
}

TEST(ClientCoding, that_is_wrong_or_cut_or_a_bomb_is_a_fault) {
  const std::string text = gzip("whole");
  ClientOptions options;
  options.limits.body_bytes = 1U << 20;
  for (const std::string& body : {std::string("no gzip"), text.substr(0, text.size() - 3), text + "trailing",
                                  gzip(std::string(64 << 20, '\0'))}) {
    Upstream upstream(1, says(coded(body)));
    Caller caller(upstream.port(), "http://127.0.0.1", options);
    const auto answer = caller.post("x");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::upstream_invalid_answer);
    EXPECT_EQ(caller.client().idle_connections(), 0U);
  }
}

TEST(ClientCoding, is_taken_off_in_http2_too) {
  const TestCertificate certificate;
  const Http2Context context(certificate);
  const std::string large(9'000'000, 'l');
  const std::string bomb = gzip(std::string(64 << 20, '\0'));
  for (const std::string& body : {gzip(large), bomb, gzip("cut").substr(0, 15)}) {
    Upstream upstream(1, [&](RawSocket& socket, int) {
      Http2Peer peer(socket, context.get());
      peer.greet();
      const std::uint32_t stream = peer.read_request();
      // :status 200; content-encoding (26 in HPACK's static table) without indexing: gzip
      peer.send(testing::Frame::headers, 4, stream, std::string("\x88\x0f\x0b\x04gzip", 8));
      for (std::size_t at = 0; at < body.size(); at += 16'000) {
        peer.send(testing::Frame::data, at + 16'000 >= body.size() ? 1 : 0, stream, body.substr(at, 16'000));
      }
      peer.drain();
    });
    ClientOptions options;
    options.tls.ca_file = certificate.cert_file();
    options.limits.body_bytes = 10'000'000;
    Caller caller(upstream.port(), "https://127.0.0.1", options);
    const auto answer = caller.post("x");
    ASSERT_EQ(answer.has_value(), body == gzip(large));
    if (answer) {
      EXPECT_TRUE(answer->body->view() == large);
    } else {
      EXPECT_EQ(answer.error().code(), ErrorCode::upstream_invalid_answer);
    }
  }
}

TEST(ClientCoding, is_asked_for_where_it_is_configured) {
  for (const bool wanted : {false, true}) {
    std::promise<std::string> heard;
    Upstream upstream(1, [&](RawSocket& socket, int) {
      heard.set_value(socket.read_message());
      socket.send(kGood);
    });
    ClientOptions options;
    options.compression = wanted;
    Caller caller(upstream.port(), "http://127.0.0.1", options);
    ASSERT_TRUE(caller.post("x"));
    const char* const expected =
        wanted ? "\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" : "\r\nAccept-Encoding: identity\r\n";
    EXPECT_NE(heard.get_future().get().find(expected), std::string::npos);
  }
}

TEST(ClientRedirect, is_a_fault_that_names_the_host) {
  struct Case {
    const char *location, *named;
  };
  const Case cases[] = {{"https://evil.example/steal?k=1", "to evil.example,"},
                        {"//other.example:81", "to other.example:81,"},
                        {"http://user:secret@h.example", "to h.example,"},
                        {"http://b\x01"
                         "ad/",
                         "to 127.0.0.1:"},
                        {"/elsewhere", "to 127.0.0.1:"}};
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    for (const Case& c : cases) {
      Upstream upstream(1, says("HTTP/1.1 " + std::string(status) + " Moved\r\nLocation: " + c.location +
                                "\r\nContent-Length: 0\r\n\r\n"));
      Caller caller(upstream.port());
      const auto answer = caller.post("x");
      ASSERT_FALSE(answer);
      if (std::string_view(c.location).find('\x01') != std::string_view::npos) continue;  // not HTTP at all
      EXPECT_EQ(answer.error().code(), ErrorCode::upstream_redirected);
      EXPECT_NE(answer.error().message().find(c.named), std::string::npos) << answer.error().message();
      EXPECT_EQ(answer.error().message().find("secret"), std::string::npos);
    }
  }
}

TEST(ClientStatus, of_half_an_answer_or_none_is_a_value) {
  for (const char* text :
       {"HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\nContent-Range: bytes 0-1/9\r\n\r\nok",
        "HTTP/1.1 304 Not Modified\r\n\r\n"}) {
    Upstream upstream(1, says(text));
    Caller caller(upstream.port());
    const auto answer = caller.post("x");
    ASSERT_TRUE(answer) << text;
    EXPECT_EQ(std::to_string(answer->status), std::string(text).substr(9, 3));
  }
}

}  // namespace
}  // namespace embedrouter::net
