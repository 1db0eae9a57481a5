#include "net/head.h"

#include <gtest/gtest.h>

#include <string>

namespace embedrouter::net {
namespace {

std::optional<Error> request_fault(const std::string& head) {
  HeadScanner scanner;
  const auto state = scanner.scan(head);
  if (state == HeadScanner::State::malformed) return Error(ErrorCode::invalid_request, "scanner");
  EXPECT_EQ(state, HeadScanner::State::complete) << head;
  EXPECT_EQ(scanner.length(), head.size()) << head;
  RequestFrame frame;
  return parse_request_head(head, frame);
}

TEST(Head, of_a_request_becomes_views) {
  const std::string head =
      "POST /api/v1/embeddings?x=1&y HTTP/1.1\r\nHost: h\r\nCookie:\r\nContent-Length: 12\r\nX-A:  b c "
      "\r\n\r\n";
  RequestFrame frame;
  ASSERT_FALSE(parse_request_head(head, frame));
  EXPECT_EQ(frame.head.method, "POST");
  EXPECT_EQ(frame.head.path, "/api/v1/embeddings");
  EXPECT_EQ(frame.head.query, "x=1&y");
  EXPECT_EQ(frame.head.content_length, 12U);
  EXPECT_FALSE(frame.head.chunked);
  EXPECT_TRUE(frame.http11);
  EXPECT_TRUE(frame.keep_alive);
  EXPECT_EQ(frame.head.headers.find("x-a"), "b c");
  EXPECT_EQ(frame.head.headers.find("cookie"), "");
  EXPECT_GE(frame.head.path.data(), head.data());
  EXPECT_LT(frame.head.path.data(), head.data() + head.size());
}

TEST(Head, accepts_every_form_of_target_a_client_may_send) {
  struct Case {
    std::string target, path, query;
  };
  const Case cases[] = {{"/", "/", ""},
                        {"/a?b?c", "/a", "b?c"},
                        {"http://h:80/a/b?c", "/a/b", "c"},
                        {"HTTPS://h", "/", ""},
                        {"http://h?q=1", "/", "q=1"},
                        {"*", "*", ""},
                        {"/%00/../x", "/%00/../x", ""}};
  for (const Case& c : cases) {
    const std::string head = "GET " + c.target + " HTTP/1.1\r\nHost: h\r\n\r\n";
    RequestFrame frame;
    ASSERT_FALSE(parse_request_head(head, frame)) << c.target;
    EXPECT_EQ(frame.head.path, c.path) << c.target;
    EXPECT_EQ(frame.head.query, c.query) << c.target;
  }
}

TEST(Head, takes_the_host_of_an_absolute_target_before_the_header) {
  RequestFrame frame;
  ASSERT_FALSE(parse_request_head("GET http://a:1/x HTTP/1.1\r\nX: y\r\nHost: b\r\n\r\n", frame));
  EXPECT_EQ(frame.head.headers.find("host"), "a:1");
  EXPECT_EQ(frame.head.headers.all().size(), 2U);
  ASSERT_FALSE(parse_request_head("GET http://a/x HTTP/1.0\r\n\r\n", frame));
  EXPECT_EQ(frame.head.headers.find("host"), "a");
}

TEST(Head, takes_every_form_of_host) {
  for (const char* host :
       {"h", "h:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "a-b_c.example", "%41", "", "h:"}) {
    RequestFrame frame;
    EXPECT_FALSE(parse_request_head("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", frame))
        << host;
  }
}

TEST(Head, tells_whether_the_connection_stays) {
  const auto keeps = [](const std::string& version, const std::string& connection) {
    const std::string head = "GET / HTTP/" + version + "\r\nHost: h\r\n" + connection + "\r\n";
    RequestFrame frame;
    EXPECT_FALSE(parse_request_head(head, frame)) << head;
    return frame.keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: keep-alive, Close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(Head, that_two_programs_could_read_differently_is_refused) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string faulty[] = {
      start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
      start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
      start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
      start + "Content-Length: 5, 5\r\n\r\n",
      start + "Content-Length: +5\r\n\r\n",
      start + "Content-Length: -5\r\n\r\n",
      start + "Content-Length: 0x5\r\n\r\n",
      start + "Content-Length: 5 5\r\n\r\n",
      start + "Content-Length:\r\n\r\n",
      start + "Content-Length: 99999999999999999999999\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      start + "X: a\r\n b\r\n\r\n",
      start + "X: a\r\n\tb\r\n\r\n",
      start + "X: a\n\r\n",
      start + "X: a\rb\r\n\r\n",
      start + std::string("X: a\0b\r\n\r\n", 10),
      start + "X : a\r\n\r\n",
      start + ": a\r\n\r\n",
      start + "X a\r\n\r\n",
      start + "Host: other\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: user@h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h:80x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n",
      "GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET http://h:x/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST / HTTP/1.1\r\n Host: h\r\n\r\n",
      "POST / HTTP/1.1\r\nX: y\r\n\r\n",
      "POST  / HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST / HTTP/1.1 \r\nHost: h\r\n\r\n",
      "POST /a b HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST HTTP/1.1\r\nHost: h\r\n\r\n",
      "P\x01ST / HTTP/1.1\r\nHost: h\r\n\r\n",
      "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  };
  for (const std::string& head : faulty) {
    const auto fault = request_fault(head);
    ASSERT_TRUE(fault) << head;
    const bool framing =
        fault->code() == ErrorCode::invalid_request || fault->code() == ErrorCode::not_implemented;
    EXPECT_TRUE(framing) << head;
  }
}

TEST(Head, of_what_is_not_spoken_says_so) {
  EXPECT_EQ(request_fault("GET / HTTP/2.0\r\nHost: h\r\n\r\n")->code(), ErrorCode::not_implemented);
  EXPECT_EQ(request_fault("GET / HTTP/3\r\nHost: h\r\n\r\n")->code(), ErrorCode::not_implemented);
  EXPECT_EQ(request_fault("GET / http/1.1\r\nHost: h\r\n\r\n")->code(), ErrorCode::invalid_request);
  EXPECT_EQ(request_fault("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n")->code(), ErrorCode::invalid_request);
  EXPECT_EQ(request_fault("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")->code(),
            ErrorCode::not_implemented);
  EXPECT_EQ(request_fault("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n")->code(),
            ErrorCode::not_implemented);
  EXPECT_EQ(request_fault("GET / HTTP/1.1\r\nHost: h\r\nExpect: a-miracle\r\n\r\n")->code(),
            ErrorCode::expectation_failed);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 300; ++i) many += "X: y\r\n";
  EXPECT_EQ(request_fault(many + "\r\n")->code(), ErrorCode::headers_too_large);
}

TEST(HeadScanner, finds_the_end_wherever_the_bytes_are_cut) {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n\r\nrest";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    HeadScanner scanner;
    const auto first = scanner.scan(std::string_view(bytes).substr(0, cut));
    EXPECT_EQ(first == HeadScanner::State::complete, cut >= 27) << cut;
    if (first == HeadScanner::State::incomplete) {
      EXPECT_EQ(scanner.scan(bytes), HeadScanner::State::complete);
    }
    EXPECT_EQ(scanner.length(), 27U);
  }
}

TEST(HeadScanner, notices_a_bare_line_feed_at_once) {
  for (const char* bytes :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: h\n", "GET / HTTP/1.1\r\n\n", "\r\n"}) {
    HeadScanner scanner;
    EXPECT_EQ(scanner.scan(bytes), HeadScanner::State::malformed) << bytes;
  }
}

ResponseFrame response(const std::string& head, bool to_head = false) {
  ResponseFrame frame;
  const auto fault = parse_response_head(head, to_head, frame);
  EXPECT_FALSE(fault) << head << fault->detail();
  return frame;
}

TEST(Head, of_an_answer_tells_how_its_body_ends) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n").content_length, 3U);
  EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n").has_body);
  EXPECT_FALSE(response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").has_body);
  EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked);
  EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\n").has_body);
  EXPECT_FALSE(response("HTTP/1.1 200 OK\r\n\r\n").keep_alive);
  EXPECT_TRUE(response("HTTP/1.1 204 No Content\r\n\r\n").keep_alive);
  EXPECT_FALSE(response("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n").has_body);
  EXPECT_FALSE(response("HTTP/1.1 102 Processing\r\n\r\n").has_body);
  EXPECT_FALSE(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true).has_body);
  EXPECT_TRUE(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true).keep_alive);
  EXPECT_FALSE(response("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n").keep_alive);
}

TEST(Head, of_an_answer_is_refused_when_its_framing_is_in_doubt) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Encoding: compress\r\nContent-Length: 3\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n",
                           "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n", "HTTP/3.0 200 OK\r\n\r\n",
                           "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX y\r\n\r\n"}) {
    ResponseFrame frame;
    const auto fault = parse_response_head(head, false, frame);
    ASSERT_TRUE(fault) << head;
    EXPECT_EQ(fault->code(), ErrorCode::upstream_invalid_answer);
  }
}

}  // namespace
}  // namespace embedrouter::net
