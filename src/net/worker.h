#pragma once
#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "net/answer_head.h"
#include "net/server.h"
#include "net/stream.h"

namespace embedrouter::net {

// A server's connection as its worker sees it. Used from the worker's thread.
class Connection {
 public:
  virtual ~Connection() = default;
  // Closes if no request is under way; otherwise its answer will be the last.
  virtual void begin_drain() = 0;
  // Closes now; a handler that runs is cancelled.
  virtual void abort() = 0;
};

// What a connection keeps from its beginning to its end. Never changes.
struct ServerSettings {
  ServerLimits limits;
  std::unique_ptr<asio::ssl::context> tls;  // null: plain HTTP
};

// What all threads of a server share. Thread-safe.
class ServerState {
 public:
  explicit ServerState(std::shared_ptr<const ServerSettings> settings) : settings_(std::move(settings)) {}

  // For connections that begin now.
  std::shared_ptr<const ServerSettings> settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  void use(std::shared_ptr<const ServerSettings> settings) {
    const std::lock_guard lock(mutex_);
    settings_.swap(settings);
  }

  std::atomic<std::size_t> connections{0};
  std::atomic<bool> draining{false};

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ServerSettings> settings_;
};

// One I/O thread of a server, and its connections. Lives as long as the last of them.
struct Worker {
  Worker(asio::io_context& io_context, Handler& answers, std::shared_ptr<ServerState> state)
      : io(io_context), handler(answers), server(std::move(state)), grace(io_context.get_executor()) {}

  void add(Connection* connection) { connections.insert(connection); }
  void remove(Connection* connection) {
    if (connections.erase(connection) == 0) return;
    if (connections.empty()) grace.cancel();
    load.fetch_sub(1, std::memory_order_relaxed);
    server->connections.fetch_sub(1, std::memory_order_release);
  }
  std::string_view date() { return date_text.at(SystemClock().wall()); }

  asio::io_context& io;
  Handler& handler;
  std::shared_ptr<ServerState> server;
  std::atomic<std::size_t> load{0};  // connections given to this thread; the acceptor reads it
  Timer grace;
  std::unordered_set<Connection*> connections;
  DateText date_text;
};

}  // namespace embedrouter::net
