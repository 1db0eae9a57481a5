#include "net/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <cerrno>
#include <optional>

#include "net/listener.h"
#include "net/server_connection.h"
#include "net/tls.h"

namespace embedrouter::net {
namespace {

// After running out of descriptors or memory: accepting again at once would spin.
constexpr std::chrono::milliseconds kAcceptPause{100};
// Connections taken in one go, so that a flood of them does not starve those that are there.
constexpr int kAcceptBurst = 64;

Result<std::shared_ptr<const ServerSettings>> make_settings(const ServerLimits& limits, const ServerTls& tls,
                                                            bool encrypted) {
  auto settings = std::make_shared<ServerSettings>();
  settings->limits = limits;
  if (encrypted) {
    auto context = make_server_context(tls);
    if (!context) return fail(std::move(context).error());
    settings->tls = std::move(*context);
  }
  return std::shared_ptr<const ServerSettings>(std::move(settings));
}

void open_connection(const std::shared_ptr<Worker>& worker, const Tcp& protocol, int fd) {
  Socket socket(worker->io.get_executor());
  error_code error;
  socket.assign(protocol, fd, error);
  if (error) {
    ::close(fd);
    worker->load.fetch_sub(1, std::memory_order_relaxed);
    worker->server->connections.fetch_sub(1, std::memory_order_release);
    return;
  }
  socket.set_option(Tcp::no_delay(true), error);
  auto settings = worker->server->settings();
  if (settings->tls) {
    TlsStream stream(std::move(socket), *settings->tls);
    std::make_shared<ServerConnection<TlsStream>>(worker, std::move(settings), std::move(stream))->start();
  } else {
    std::make_shared<ServerConnection<Socket>>(worker, std::move(settings), std::move(socket))->start();
  }
}

// Takes connections from the listening socket, on the first worker's thread, and gives each to the worker
// with the fewest. One acceptor balances exactly, and needs no SO_REUSEPORT, which would hide that a port is
// taken.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(asio::io_context& io, const Tcp& protocol, int fd, std::shared_ptr<ServerState> server)
      : protocol_(protocol),
        server_(std::move(server)),
        listener_(io.get_executor(), protocol, fd),
        pause_(io.get_executor()) {}

  // From any thread, as long as none of the workers runs.
  void add(std::shared_ptr<Worker> worker) { workers_.push_back(std::move(worker)); }

  void wait() {
    listener_.async_wait(Listener::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error) self->accept_waiting();
    });
  }
  void stop() {
    error_code ignored;
    listener_.close(ignored);
    pause_.cancel();
  }

 private:
  using Listener = asio::basic_socket_acceptor<Tcp, Executor>;

  void accept_waiting() {
    for (int i = 0; i < kAcceptBurst; ++i) {
      const int fd = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        hand_over(fd);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        break;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause();
      }  // anything else concerns a connection that is already gone
    }
    wait();
  }

  void hand_over(int fd) {
    const std::size_t most = server_->settings()->limits.connections;
    if (server_->connections.load(std::memory_order_relaxed) >= most) {
      ::close(fd);
      return;
    }
    const auto least = std::ranges::min_element(workers_, {}, [](const std::shared_ptr<Worker>& worker) {
      return worker->load.load(std::memory_order_relaxed);
    });
    const std::shared_ptr<Worker>& worker = *least;
    worker->load.fetch_add(1, std::memory_order_relaxed);
    server_->connections.fetch_add(1, std::memory_order_relaxed);
    asio::dispatch(worker->io, [worker, protocol = protocol_, fd] { open_connection(worker, protocol, fd); });
  }

  void pause() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->wait();
    });
  }

  Tcp protocol_;
  std::shared_ptr<ServerState> server_;
  Listener listener_;
  Timer pause_;
  std::vector<std::shared_ptr<Worker>> workers_;
};

class ServerImpl final : public Server {
 public:
  ServerImpl(const Tcp::endpoint& endpoint, int fd, std::shared_ptr<ServerState> state)
      : endpoint_(endpoint), fd_(fd), state_(std::move(state)) {}
  ServerImpl(const ServerImpl&) = delete;
  ServerImpl& operator=(const ServerImpl&) = delete;
  ~ServerImpl() override {
    if (!acceptor_) ::close(fd_);
  }

  std::uint16_t port() const override { return endpoint_.port(); }

  void serve(asio::io_context& io, Handler& handler) override {
    auto worker = std::make_shared<Worker>(io, handler, state_);
    workers_.push_back(worker);
    if (!acceptor_) {
      acceptor_ = std::make_shared<Acceptor>(io, endpoint_.protocol(), fd_, state_);
      acceptor_->wait();
    }
    acceptor_->add(std::move(worker));
  }

  Result<void> reconfigure(const ServerLimits& limits, const ServerTls& tls) override {
    auto settings = make_settings(limits, tls, state_->settings()->tls != nullptr);
    if (!settings) return fail(std::move(settings).error());
    state_->use(*std::move(settings));
    return {};
  }

  void drain(std::chrono::milliseconds grace) override {
    state_->draining.store(true);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      asio::post(workers_[i]->io, [worker = workers_[i], acceptor = i == 0 ? acceptor_ : nullptr, grace] {
        if (acceptor) acceptor->stop();
        // Closing may end connections while they are visited.
        for (Connection* connection :
             std::vector<Connection*>(worker->connections.begin(), worker->connections.end())) {
          connection->begin_drain();
        }
        if (worker->connections.empty()) return;  // nothing to wait for
        worker->grace.expires_after(grace);
        worker->grace.async_wait([worker](const error_code& error) {
          if (error) return;
          for (Connection* connection :
               std::vector<Connection*>(worker->connections.begin(), worker->connections.end())) {
            connection->abort();
          }
        });
      });
    }
  }

  bool drained() const override { return state_->draining.load() && connections() == 0; }
  std::size_t connections() const override { return state_->connections.load(std::memory_order_acquire); }

 private:
  Tcp::endpoint endpoint_;
  int fd_;  // the acceptor's, once there is one
  std::shared_ptr<ServerState> state_;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(const std::string& address, const ServerLimits& limits,
                                               const ServerTls& tls) {
  auto settings = make_settings(limits, tls, !tls.cert_file.empty() || !tls.key_file.empty());
  if (!settings) return fail(std::move(settings).error());
  auto state = std::make_shared<ServerState>(*std::move(settings));
  auto endpoint = parse_listen_address(address);
  if (!endpoint) return fail(std::move(endpoint).error());
  const auto fd = open_listener(*endpoint);
  if (!fd) return fail(fd.error());
  return std::make_unique<ServerImpl>(*endpoint, *fd, std::move(state));
}

}  // namespace embedrouter::net
