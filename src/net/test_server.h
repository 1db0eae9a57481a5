#pragma once
// For the tests: a Server on its own threads, answering with a function.

#include <boost/asio/executor_work_guard.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/server.h"
#include "net/test_sockets.h"

namespace embedrouter::net::testing {

class FunctionHandler final : public Handler {
 public:
  using Function = std::function<Task<Response>(Exchange&)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}

  Task<Response> handle(Exchange& exchange) override { return function_(exchange); }
  Response refuse(const Error& error) override {
    Response response;
    response.status = error.http_status();
    response.body.append(std::string(traits(error.code()).name));
    return response;
  }

 private:
  Function function_;
};

class TestServer {
 public:
  explicit TestServer(FunctionHandler::Function function, const ServerLimits& limits = {},
                      const ServerTls& tls = {}, int threads = 1)
      : handler_(std::move(function)) {
    auto server = Server::listen("127.0.0.1:0", limits, tls);
    if (!server) throw std::runtime_error(server.error().message());
    server_ = std::move(*server);
    for (int i = 0; i < threads; ++i) {
      contexts_.push_back(std::make_unique<asio::io_context>());
      guards_.emplace_back(contexts_.back()->get_executor());
      server_->serve(*contexts_.back(), handler_);
    }
    for (auto& context : contexts_) threads_.emplace_back([&io = *context] { io.run(); });
  }
  ~TestServer() {
    for (auto& context : contexts_) context->stop();
    for (auto& thread : threads_) thread.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  unsigned short port() const { return server_->port(); }
  RawSocket connect() const { return RawSocket::connect(port()); }
  Server& server() { return *server_; }
  asio::io_context& io(std::size_t i = 0) { return *contexts_[i]; }

 private:
  FunctionHandler handler_;
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<asio::executor_work_guard<Executor>> guards_;
  std::unique_ptr<Server> server_;
  std::vector<std::thread> threads_;
};

}  // namespace embedrouter::net::testing
