#include "net/addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <future>

#include "net/test_caller.h"
#include "net/test_upstream.h"

namespace embedrouter::net {
namespace {

using std::chrono::milliseconds;
using testing::Caller;
using testing::kGood;
using testing::RawSocket;
using testing::says;
using testing::Upstream;

std::vector<asio::ip::address> addresses(std::initializer_list<const char*> texts) {
  std::vector<asio::ip::address> all;
  for (const char* text : texts) all.push_back(asio::ip::make_address(text));
  return all;
}

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

// The first answer of the name server lists a dead address before a good one, so that it is asked again.
ClientOptions with_a_name_server_that_ends(std::atomic<int>& lookups) {
  ClientOptions options;
  options.limits.age = milliseconds(0);
  options.lookup = [&](const std::string&) -> Result<std::vector<asio::ip::address>> {
    if (lookups++ == 0) return addresses({"127.0.0.2", "127.0.0.1"});
    return fail(Error(ErrorCode::upstream_unreachable, "the upstream's name cannot be resolved"));
  };
  return options;
}

TEST(ClientAddresses, B7_the_last_good_ones_serve_while_the_name_server_fails) {
  Upstream upstream(3, says(std::string(kGood)));
  std::atomic<int> lookups = 0;
  Caller caller(upstream.port(), "http://upstream.test", with_a_name_server_that_ends(lookups));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(caller.post("x")) << i;
  EXPECT_EQ(lookups, 2) << "one that failed is not asked again at once";
}

TEST(ClientAddresses, B7_the_last_good_ones_serve_while_the_name_server_is_silent) {
  Upstream upstream(2, says(std::string(kGood)));
  std::atomic<int> lookups = 0;
  std::promise<void> release, ended;
  ClientOptions options = with_a_name_server_that_ends(lookups);
  options.lookup = [&, first = options.lookup, released = release.get_future().share()](
                       const std::string& host) -> Result<std::vector<asio::ip::address>> {
    if (lookups == 0) return first(host);
    released.wait();
    ended.set_value();
    return addresses({"127.0.0.1"});
  };
  {
    Caller caller(upstream.port(), "http://upstream.test", options);
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(caller.post("x")) << i;
  }
  release.set_value();
  ended.get_future().wait();
}

TEST(ClientAddresses, B7_the_last_good_ones_are_forgotten_after_a_while) {
  Upstream upstream(1, says(std::string(kGood)));
  std::atomic<int> lookups = 0;
  ClientOptions options = with_a_name_server_that_ends(lookups);
  options.limits.stale_addresses = milliseconds(0);
  Caller caller(upstream.port(), "http://upstream.test", options);
  EXPECT_TRUE(caller.post("x"));
  const auto answer = caller.post("x");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "the upstream's name cannot be resolved");
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

}  // namespace
}  // namespace embedrouter::net
