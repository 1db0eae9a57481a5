#include <gtest/gtest.h>
#include <zstd.h>

#include <thread>

#include "net/test_caller.h"
#include "net/test_http2.h"

namespace embedrouter::net {
namespace {

using testing::Caller;
using testing::Frame;
using testing::Http2Context;
using testing::Http2Peer;
using testing::RawSocket;
using testing::TestCertificate;

constexpr std::size_t kBound = 100'000;  // of bodies in memory

class Collector final : public BodySink {
 public:
  explicit Collector(std::size_t most = 10'000'000) : most_(most) {}
  bool wants(int status, const Headers& headers) override {
    said = std::string(headers.find("x-said").value_or(""));
    return status == 200;
  }
  Result<void> take(std::string_view bytes) override {
    largest = std::max(largest, bytes.size());
    if (body.size() + bytes.size() > most_) return fail(ErrorCode::internal, "the disk is full");
    body += bytes;
    return {};
  }
  std::string said, body;
  std::size_t largest = 0;

 private:
  std::size_t most_;
};

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * i % 26);
  return text;
}

ClientRequest request_into(BodySink& sink) {
  ClientRequest request;
  request.method = "GET";
  request.target = "/";
  request.sink = &sink;
  return request;
}

// One request over HTTP/1.1, answered with `answer`.
Result<ClientResponse> ask(const std::string& answer, BodySink& sink, bool show_redirects = false) {
  RawSocket listener = RawSocket::listen();
  std::thread upstream([&] {
    RawSocket socket = listener.accept();
    socket.read_message();
    socket.send(answer);
  });
  ClientOptions options;
  options.limits.body_bytes = kBound;
  options.show_redirects = show_redirects;
  Caller caller(listener.port(), "http://127.0.0.1", options);
  auto result = caller.send(request_into(sink));
  upstream.join();
  return result;
}

std::string sized(const std::string& head, const std::string& body) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(BodySink, takes_a_body_of_any_size_piece_by_piece) {
  const std::string text = text_of(3'000'000);
  Collector sink;
  const auto answer = ask(sized("200 OK\r\nX-Said: yes", text), sink);
  ASSERT_TRUE(answer) << answer.error().detail();
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->body->empty());
  EXPECT_EQ(sink.said, "yes");
  EXPECT_TRUE(sink.body == text);
  EXPECT_LE(sink.largest, kBound);
}

TEST(BodySink, gets_chunks_joined_and_codings_taken_off) {
  const std::string text = text_of(400'000);
  std::string coded(ZSTD_compressBound(text.size()), '\0');
  coded.resize(ZSTD_compress(coded.data(), coded.size(), text.data(), text.size(), 1));
  Collector chunked, compressed;
  std::string chunks =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n61a80\r\n" + text + "\r\n0\r\n\r\n";
  ASSERT_TRUE(ask(chunks, chunked));
  EXPECT_TRUE(chunked.body == text);
  ASSERT_TRUE(ask(sized("200 OK\r\nContent-Encoding: zstd", coded), compressed));
  EXPECT_TRUE(compressed.body == text);
}

TEST(BodySink, leaves_what_it_does_not_want_in_memory_and_bounded) {
  Collector sink;
  const auto answer = ask(sized("404 Not Found", "no such file"), sink);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body->view(), "no such file");
  EXPECT_EQ(sink.body, "");
  EXPECT_FALSE(ask(sized("404 Not Found", text_of(kBound + 1)), sink));
}

TEST(BodySink, ends_the_exchange_with_its_own_failure) {
  Collector sink(50'000);
  const auto answer = ask(sized("200 OK", text_of(60'000)), sink);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "the disk is full");
}

TEST(BodySink, has_what_came_before_the_connection_broke) {
  const std::string text = text_of(200'000);
  Collector sink;
  const auto answer = ask(sized("200 OK", text).substr(0, 150'000), sink);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
  EXPECT_GT(sink.body.size(), 0U);
  EXPECT_TRUE(text.starts_with(sink.body));
}

TEST(BodySink, takes_bodies_over_http2) {
  const std::string text = text_of(60'000);  // the window of a stream
  const TestCertificate certificate;
  const Http2Context context(certificate);
  RawSocket listener = RawSocket::listen();
  std::thread upstream([&] {
    RawSocket socket = listener.accept();
    Http2Peer peer(socket, context.get());
    peer.greet();
    const std::uint32_t stream = peer.read_request();
    peer.send(Frame::headers, 4, stream, std::string("\x88\x00\x06x-said\x03yes", 13));
    for (std::size_t at = 0; at < text.size(); at += 16'000) {
      const std::string_view piece = std::string_view(text).substr(at, 16'000);
      peer.send(Frame::data, at + 16'000 >= text.size() ? 1 : 0, stream, piece);
    }
    peer.drain();
  });
  ClientOptions options;
  options.limits.body_bytes = 10'000;
  options.tls.ca_file = certificate.cert_file();
  Collector sink;
  {
    Caller caller(listener.port(), "https://127.0.0.1", options);
    const auto answer = caller.send(request_into(sink));
    EXPECT_TRUE(answer && answer->body->empty());
  }
  upstream.join();
  EXPECT_EQ(sink.said, "yes");
  EXPECT_TRUE(sink.body == text);
}

TEST(Client, shows_a_redirect_only_where_it_is_asked_for) {
  const std::string away = sized("302 Found\r\nLocation: https://elsewhere.example/x?y", "");
  Collector sink;
  EXPECT_EQ(ask(away, sink).error().code(), ErrorCode::upstream_redirected);
  const auto answer = ask(away, sink, true);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->headers.find("location"), "https://elsewhere.example/x?y");
}

}  // namespace
}  // namespace embedrouter::net
