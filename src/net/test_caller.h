#pragma once
// For the tests: a Client driven from the test's own thread.

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/client.h"
#include "net/stream.h"

namespace embedrouter::net::testing {

// A client on an io_context that runs while one answer is awaited.
class Caller {
 public:
  explicit Caller(unsigned short port, const ClientDeadlines& deadlines = {}, const ClientLimits& limits = {},
                  const std::string& base = "http://127.0.0.1", const ClientTls& tls = {}) {
    ClientOptions options;
    options.deadlines = deadlines;
    options.limits = limits;
    options.tls = tls;
    make(port, base, options);
  }
  Caller(unsigned short port, const std::string& base, const ClientOptions& options) {
    make(port, base, options);
  }

  Result<ClientResponse> send(ClientRequest request) {
    std::optional<Result<ClientResponse>> answer;
    asio::co_spawn(io_, client_->send(std::move(request)),
                   [&](const std::exception_ptr& thrown, Result<ClientResponse> result) {
                     EXPECT_FALSE(thrown);
                     answer.emplace(std::move(result));
                     io_.stop();
                   });
    run();
    return std::move(*answer);
  }
  Result<ClientResponse> post(std::string body, Clock::Steady deadline = Clock::Steady::max()) {
    ClientRequest request;
    request.target = "/p";
    request.headers.push_back({"Content-Type", "text/plain"});
    request.body.append(std::move(body));
    request.deadline = deadline;
    return send(std::move(request));
  }
  // A request that `cancel` ends; `ended(thrown, answer)`.
  template <class Ended>
  void begin(std::string_view body, asio::cancellation_signal& cancel, Ended ended) {
    ClientRequest request;
    request.target = "/";
    request.body.append(std::string(body));
    asio::co_spawn(io_, client_->send(std::move(request)),
                   asio::bind_cancellation_slot(cancel.slot(), std::move(ended)));
  }
  template <class T>
  void run_until_ready(std::future<T>& future) {
    run_until([&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  }
  // Until `done`.
  template <class Condition>
  void run_until(Condition done) {
    io_.restart();
    const Clock::Steady patience = steady_now() + std::chrono::seconds(20);
    while (!done() && steady_now() < patience) io_.run_one_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(done());
  }
  Client& client() { return *client_; }
  asio::io_context& io() { return io_; }

 private:
  void make(unsigned short port, const std::string& base, const ClientOptions& options) {
    auto url = Url::parse(base + ":" + std::to_string(port));
    auto client = Client::make(io_, *url, options);
    if (!client) throw std::runtime_error(client.error().message());
    client_ = std::move(*client);
  }
  void run() {
    io_.restart();
    io_.run();
  }

  asio::io_context io_;
  std::unique_ptr<Client> client_;
};

}  // namespace embedrouter::net::testing
