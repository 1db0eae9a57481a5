// How a client gets to an upstream and what it takes from one: proxies, identities, codings, redirects.
#include <gtest/gtest.h>
#include <zlib.h>

#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "net/proxy.h"
#include "net/test_caller.h"
#include "net/test_http2.h"
#include "net/test_upstream.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using testing::Caller;
using testing::Http2Context;
using testing::Http2Peer;
using testing::kGood;
using testing::RawSocket;
using testing::says;
using testing::TestCertificate;
using testing::Upstream;

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
                        {"127.0.0.1", "127.0.0.11", false},
                        // Networks, as curl reads them since 7.86.
                        {"10.0.0.0/8", "10.1.2.3", true},
                        {"10.9.9.9/8", "10.1.2.3", true},
                        {"10.0.0.0/8", "11.1.2.3", false},
                        {"a.example, 192.168.4.0/22", "192.168.7.255", true},
                        {"192.168.4.0/22", "192.168.8.0", false},
                        {"192.168.4.1/32", "192.168.4.1", true},
                        {"192.168.4.1/32", "192.168.4.2", false},
                        {"fd00::/8", "fdff::1", true},
                        {"[fd00::]/8", "fdff::1", false},
                        {"fd00::/8", "fe00::1", false},
                        {"2001:db8::8000/113", "2001:db8::8001", true},
                        {"2001:db8::8000/113", "2001:db8::7fff", false},
                        {"10.0.0.0/8", "::ffff:10.1.2.3", false},
                        {"10.0.0.0/8", "10.example", false},
                        {"10.0.0.0/33", "10.0.0.0", false},
                        {"10.0.0.0/x", "10.0.0.0", false},
                        {"10.0.0.0/", "10.0.0.0", false},
                        {"10.0.0/8", "10.0.0.0", false},
                        {"0.0.0.0/0", "10.0.0.0", false}};
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
