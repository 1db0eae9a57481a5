#include "net/client.h"

#include "net/client_connection.h"
#include "net/field_text.h"
#include "net/tls.h"

namespace embedrouter::net {
namespace {

template <class Stream>
class ClientImpl final : public Client, private ClientConnection<Stream>::Pool {
  using Connection = ClientConnection<Stream>;
  using ConnectionPtr = std::shared_ptr<Connection>;

 public:
  explicit ClientImpl(std::shared_ptr<Origin> origin) : origin_(std::move(origin)) {}
  ClientImpl(const ClientImpl&) = delete;
  ClientImpl& operator=(const ClientImpl&) = delete;
  ~ClientImpl() override {
    for (const ConnectionPtr& connection : idle_) connection->close();
  }

  Task<Result<ClientResponse>> send(ClientRequest request) override {
    if (steady_now() >= request.deadline) {
      co_return fail(ErrorCode::upstream_timeout, "no time was left to ask the upstream");
    }
    Lease lease(take_idle());
    if (lease.connection) {
      auto answer = co_await lease.connection->exchange(request);
      if (answer || !lease.connection->lost_unheard()) co_return finish(lease, std::move(answer));
      lease.connection->close();
    }
    lease.connection = std::make_shared<Connection>(origin_);
    auto failure = co_await lease.connection->open(request.deadline);
    if (failure) co_return fail(std::move(*failure));
    auto answer = co_await lease.connection->exchange(request);
    co_return finish(lease, std::move(answer));
  }

  std::size_t idle_connections() const override { return idle_.size(); }

 private:
  // Closes what is not given back: after a failure, and when the task is cancelled.
  struct Lease {
    explicit Lease(ConnectionPtr held) : connection(std::move(held)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (connection) connection->close();
    }
    ConnectionPtr connection;
  };

  Result<ClientResponse> finish(Lease& lease, Result<ClientResponse> answer) {
    if (answer && lease.connection->reusable()) give_back(std::move(lease.connection));
    return answer;
  }

  // The one used last: the others grow old and are closed.
  ConnectionPtr take_idle() {
    while (!idle_.empty()) {
      ConnectionPtr connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection->leave_pool()) return connection;
      connection->close();
    }
    return nullptr;
  }

  void give_back(ConnectionPtr connection) {
    if (origin_->limits.idle_connections == 0) return connection->close();
    if (idle_.size() >= origin_->limits.idle_connections) {
      idle_.front()->close();
      idle_.erase(idle_.begin());
    }
    connection->rest_in(*this);
    idle_.push_back(std::move(connection));
  }

  void forget(Connection& connection) override {
    std::erase_if(idle_, [&](const ConnectionPtr& held) { return held.get() == &connection; });
  }

  std::shared_ptr<Origin> origin_;
  std::vector<ConnectionPtr> idle_;  // least recently used first
};

}  // namespace

Result<std::unique_ptr<Client>> Client::make(asio::io_context& io, Url url, ClientDeadlines deadlines,
                                             ClientLimits limits, const ClientTls& tls) {
  std::string fixed_head = "Host: " + url.authority() + "\r\nAccept-Encoding: identity\r\n";
  if (has_line_break(url.host))
    return fail(ErrorCode::internal, "the upstream's host name holds a line break");
  auto origin = std::make_shared<Origin>(io, std::move(url), deadlines, limits, nullptr, TlsSession(),
                                         std::move(fixed_head));
  if (!origin->url.tls) return std::make_unique<ClientImpl<Socket>>(std::move(origin));
  auto context = make_client_context(tls);
  if (!context) return fail(std::move(context).error());
  origin->tls = std::move(*context);
  origin->session.collect_from(origin->tls->native_handle());
  return std::make_unique<ClientImpl<TlsStream>>(std::move(origin));
}

}  // namespace embedrouter::net
