#include "net/tls.h"

#include <gtest/gtest.h>

#include <future>

#include "net/test_caller.h"
#include "net/test_certificate.h"
#include "net/test_server.h"
#include "net/tls_session.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using testing::Caller;
using testing::RawSocket;
using testing::TestCertificate;
using testing::TestServer;

Task<Response> echo(Exchange& exchange) {
  auto body = co_await exchange.read_body(64 << 20);
  Response response;
  if (!body) co_return response;
  response.body.append(std::string(body->view()));
  co_return response;
}

TEST(Tls, carries_exchanges_of_any_size_on_one_connection) {
  const TestCertificate certificate;
  const ServerTls server_tls{certificate.cert_file(), certificate.key_file()};
  TestServer server(echo, {}, server_tls);
  for (const char* base : {"https://127.0.0.1", "https://localhost"}) {
    Caller caller(server.port(), {}, {}, base, {certificate.cert_file()});
    for (const std::size_t size : {0, 1, 5'000, 16'384, 16'385, 100'000, 5'000'000}) {
      const std::string text(size, 't');
      const auto answer = caller.post(text);
      ASSERT_TRUE(answer) << base << size << answer.error().message() << answer.error().detail();
      EXPECT_TRUE(answer->body->view() == text) << size;
    }
    EXPECT_EQ(caller.client().idle_connections(), 1U);
  }
}

TEST(Tls, refuses_an_upstream_it_cannot_trust) {
  testing::CertificateOptions other_host;
  other_host.name = "other.example";
  other_host.address = "192.0.2.1";
  testing::CertificateOptions expired;
  expired.valid_for_seconds = -60;
  const TestCertificate good;
  const TestCertificate wrong_host(other_host);
  const TestCertificate old(expired);
  struct Case {
    const TestCertificate& presented;
    const TestCertificate& trusted;
    const char* why;
  };
  const Case cases[] = {
      {good, wrong_host, "self-signed"}, {wrong_host, wrong_host, "mismatch"}, {old, old, "expired"}};
  for (const Case& c : cases) {
    const ServerTls server_tls{c.presented.cert_file(), c.presented.key_file()};
    TestServer server(echo, {}, server_tls);
    for (const char* base : {"https://127.0.0.1", "https://localhost"}) {
      Caller caller(server.port(), {}, {}, base, {c.trusted.cert_file()});
      const auto answer = caller.post("secret");
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().code(), ErrorCode::upstream_untrusted);
      EXPECT_NE(answer.error().detail().find(c.why), std::string::npos) << answer.error().detail();
    }
  }
}

// An address with a zone is no form a certificate knows: it must not switch the check off.
TEST(Tls, verifies_an_address_that_names_its_zone) {
  testing::CertificateOptions other_host;
  other_host.address = "192.0.2.1";
  testing::CertificateOptions mapped;
  mapped.address = "::ffff:127.0.0.1";
  for (const bool right : {true, false}) {
    const TestCertificate certificate(right ? mapped : other_host);
    TestServer server(echo, {}, ServerTls{certificate.cert_file(), certificate.key_file()});
    Caller caller(server.port(), {}, {}, "https://[::ffff:127.0.0.1%1]", {certificate.cert_file()});
    const auto answer = caller.post("secret");
    ASSERT_EQ(answer.has_value(), right);
    if (!right) EXPECT_EQ(answer.error().code(), ErrorCode::upstream_untrusted);
  }
}

TEST(Tls, does_not_talk_to_an_upstream_without_tls) {
  TestServer plain(echo);
  Caller caller(plain.port(), {}, {}, "https://127.0.0.1");
  const auto answer = caller.post("secret");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_unreachable);
}

TEST(Tls, server_survives_clients_that_do_not_speak_it) {
  const TestCertificate certificate;
  ServerLimits limits;
  limits.header_timeout = milliseconds(50);
  const ServerTls server_tls{certificate.cert_file(), certificate.key_file()};
  TestServer server(echo, limits, server_tls);
  RawSocket plain = server.connect();
  plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  plain.read_all();
  RawSocket silent = server.connect();
  EXPECT_EQ(silent.read_all(), "");  // the handshake has a deadline
  RawSocket broken = server.connect();
  broken.send("\x16\x03\x01");
  broken.reset();
  Caller caller(server.port(), {}, {}, "https://127.0.0.1", {certificate.cert_file()});
  EXPECT_TRUE(caller.post("x"));
}

// Two ends joined in memory.
struct Handshake {
  SSL* client;
  SSL* server;

  Handshake(asio::ssl::context& client_context, asio::ssl::context& server_context)
      : client(SSL_new(client_context.native_handle())), server(SSL_new(server_context.native_handle())) {
    BIO* client_end = nullptr;
    BIO* server_end = nullptr;
    BIO_new_bio_pair(&client_end, 0, &server_end, 0);
    SSL_set_bio(client, client_end, client_end);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_set1_host(client, "localhost");
  }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake() {
    SSL_free(client);
    SSL_free(server);
  }
  // True if both ends are done. Reads once afterwards: that is when the client gets its session.
  bool run() {
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client);
      SSL_do_handshake(server);
    }
    char byte = 0;
    SSL_read(client, &byte, 1);
    return SSL_is_init_finished(client) == 1 && SSL_is_init_finished(server) == 1;
  }
};

TEST(Tls, resumes_the_last_session) {
  const TestCertificate certificate;
  const auto server = make_server_context({certificate.cert_file(), certificate.key_file()});
  const auto client = make_client_context({certificate.cert_file()});
  ASSERT_TRUE(server && client);
  TlsSession session;
  session.collect_from((*client)->native_handle());
  Handshake first(**client, **server);
  session.offer_to(first.client);
  ASSERT_TRUE(first.run());
  EXPECT_EQ(SSL_session_reused(first.client), 0);
  Handshake second(**client, **server);
  session.offer_to(second.client);
  ASSERT_TRUE(second.run());
  EXPECT_EQ(SSL_session_reused(second.client), 1);
}

TEST(Tls, cancels_the_handler_when_its_client_leaves) {
  const TestCertificate certificate;
  std::promise<void> cancelled;
  const ServerTls server_tls{certificate.cert_file(), certificate.key_file()};
  TestServer server(
      [&](Exchange& exchange) -> Task<Response> {
        auto body = co_await exchange.read_body(100);
        exchange.keep_informed(milliseconds(5));
        const Executor executor = co_await asio::this_coro::executor;
        Timer never(executor, Clock::Steady::max());
        error_code error;
        co_await never.async_wait(asio::redirect_error(kAwait, error));
        cancelled.set_value();
        co_return Response();
      },
      {}, server_tls);
  Caller caller(server.port(), {}, {}, "https://127.0.0.1", {certificate.cert_file()});
  const auto answer = caller.post("x", steady_now() + milliseconds(60));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_timeout);
  EXPECT_EQ(cancelled.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST(Tls, says_what_is_wrong_with_its_files) {
  const TestCertificate certificate;
  const TestCertificate other;
  const auto message = [](const ServerTls& tls) {
    const auto server = Server::listen("127.0.0.1:0", {}, tls);
    return server ? std::string() : server.error().message();
  };
  EXPECT_NE(message({"/nonexistent.pem", certificate.key_file()}).find("/nonexistent.pem"),
            std::string::npos);
  EXPECT_NE(message({certificate.cert_file(), other.key_file()}).find(other.key_file()), std::string::npos);
  EXPECT_NE(message({certificate.cert_file(), ""}), "");
  EXPECT_EQ(message({certificate.cert_file(), certificate.key_file()}), "");
  const auto client_context = make_client_context({"/nonexistent.pem"});
  ASSERT_FALSE(client_context);
  EXPECT_NE(client_context.error().message().find("/nonexistent.pem"), std::string::npos);
}

}  // namespace
}  // namespace embedrouter::net
