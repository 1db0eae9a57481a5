#include <embedrouter/client.h>
#include <embedrouter/client_asio.h>
#include <embedrouter/testing/mock_connection.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

namespace embedrouter::sdk {
namespace {

constexpr const char* kOne =
    R"({"object":"list","model":"m","data":[{"object":"embedding","embedding":[1]}]})";

TEST(ClientAsio, completes_on_the_executor_of_the_handler) {
  auto mock = std::make_shared<testing::MockConnection>();
  mock->answer(200, kOne);
  const Client client(mock);
  boost::asio::io_context context;
  std::thread::id where;
  bool good = false;
  async_call(client.embeddings().generate({.input = "hi", .model = "m"}),
             boost::asio::bind_executor(context, [&](const Result<EmbeddingsResponse>& reply) {
               good = reply.has_value();
               where = std::this_thread::get_id();
             }));
  EXPECT_FALSE(good);
  std::thread runner([&context] { context.run(); });
  const auto expected = runner.get_id();
  runner.join();
  EXPECT_TRUE(good);
  EXPECT_EQ(where, expected);
}

TEST(ClientAsio, takes_other_tokens) {
  auto mock = std::make_shared<testing::MockConnection>();
  mock->answer(401, R"({"error":{"code":401,"message":"no"}})");
  auto reply =
      async_call(Client(mock).embeddings().generate({.input = "hi", .model = "m"}), boost::asio::use_future);
  EXPECT_EQ(reply.get().error().kind(), ErrorKind::unauthorized);
}

TEST(ClientAsio, cancelling_it_stops_the_call) {
  // Answers when it is stopped.
  struct Never final : Connection {
    void start(ApiCall call, ResponseHandler done) override {
      stop.emplace(call.options.stop, [done] { done(fail(ErrorKind::cancelled, "stopped")); });
    }
    std::optional<std::stop_callback<std::function<void()>>> stop;
  };
  const auto connection = std::make_shared<Never>();
  const Client client(connection);
  boost::asio::io_context context;
  boost::asio::cancellation_signal signal;
  std::optional<ErrorKind> ended;
  async_call(
      client.embeddings().generate({.input = "hi", .model = "m"}),
      boost::asio::bind_cancellation_slot(
          signal.slot(), boost::asio::bind_executor(context, [&](const Result<EmbeddingsResponse>& reply) {
            ended = reply.error().kind();
          })));
  context.poll();
  EXPECT_FALSE(ended);
  signal.emit(boost::asio::cancellation_type::terminal);
  context.restart();
  context.run();
  EXPECT_EQ(ended, ErrorKind::cancelled);
}

}  // namespace
}  // namespace embedrouter::sdk
