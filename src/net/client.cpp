#include "net/client.h"

#include <openssl/ssl.h>

#include "net/client_connection.h"
#include "net/client_fault.h"
#include "net/field_text.h"
#include "net/http2_pool.h"
#include "net/redirect.h"
#include "net/tls.h"

namespace embedrouter::net {
namespace {

// Requests that an upstream says it has not processed are sent again so often.
constexpr int kResends = 3;

template <class Stream>
class ClientImpl final : public Client, private ClientConnection<Stream>::Pool {
  using Connection = ClientConnection<Stream>;
  using ConnectionPtr = std::shared_ptr<Connection>;

 public:
  explicit ClientImpl(const std::shared_ptr<Origin>& origin) : origin_(origin), shared_(origin) {}
  ClientImpl(const ClientImpl&) = delete;
  ClientImpl& operator=(const ClientImpl&) = delete;
  ~ClientImpl() override {
    for (const ConnectionPtr& connection : idle_) connection->close();
  }

  Task<Result<ClientResponse>> send(ClientRequest request) override {
    if (steady_now() >= request.deadline) {
      co_return fail(ErrorCode::upstream_timeout, "no time was left to ask the upstream");
    }
    bool lost = false;
    Lease lease(take_idle());
    if (lease.connection) {
      auto answer = co_await lease.connection->exchange(request);
      if (answer || !lease.connection->lost_unheard()) co_return finish(lease, std::move(answer));
      lease.connection->close();
      lost = true;
    }
    if (kIsTls<Stream> && origin_->http2) {
      auto answer = co_await send_shared(request, lost);
      co_return answer;
    }
    auto link = co_await dial<Stream>(origin_, request.deadline);
    if (!link) co_return fail(std::move(link).error());
    auto answer = co_await exchange_alone(request, *link);
    co_return answer;
  }

  std::size_t idle_connections() const override { return idle_.size() + shared_.idle(); }

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

  // HTTP/1.1 on a connection just opened.
  Task<Result<ClientResponse>> exchange_alone(const ClientRequest& request, Link<Stream>& link) {
    Lease lease(std::make_shared<Connection>(origin_, std::move(link)));
    auto answer = co_await lease.connection->exchange(request);
    co_return finish(lease, std::move(answer));
  }

  // Where HTTP/2 may be spoken: on a connection that others use too, if the upstream agrees. `lost`: an older
  // one died under this request already. What one connection lost may share the next.
  Task<Result<ClientResponse>> send_shared(const ClientRequest& request, bool lost) {
    Clock::Steady since = lost ? steady_now() : Clock::Steady::min();
    for (int resends = 0;;) {
      Http2Pool::Place place = co_await shared_.place(request.deadline, since);
      if (place.failure) co_return fail(std::move(*place.failure));
      if (!place.connection) {
        auto answer = co_await exchange_over(request, *place.link);
        co_return answer;
      }
      const bool reused = place.connection->used();
      Http2Answer answer = co_await place.connection->exchange(request);
      using enum Http2Answer::Resend;
      const bool again = (answer.resend == unheard && reused && !lost) ||
                         ((answer.resend == unprocessed || answer.resend == http11) && resends < kResends);
      if (!again) co_return finish(std::move(answer.result));
      if (answer.resend != unprocessed) since = steady_now();
      if (answer.resend == http11) origin_->http2 = false;
      if (answer.resend == unheard) {
        lost = true;
      } else {
        ++resends;
      }
    }
  }

  Task<Result<ClientResponse>> exchange_over(const ClientRequest& request, Link<TlsStream>& link) {
    if constexpr (kIsTls<Stream>) {
      auto answer = co_await exchange_alone(request, link);
      co_return answer;
    } else {
      co_return fail(ErrorCode::internal, "HTTP/2 without TLS");
    }
  }

  Result<ClientResponse> finish(Lease& lease, Result<ClientResponse> answer) {
    if (answer && lease.connection->reusable()) {
      give_back(std::move(lease.connection));
    } else if (lease.connection->silent()) {
      forget_all_at(lease.connection->peer());
    }
    return finish(std::move(answer));
  }
  Result<ClientResponse> finish(Result<ClientResponse> answer) const {
    if (answer && !origin_->show_redirects) {
      if (auto elsewhere = redirect_fault(*answer, origin_->url)) return fail(std::move(*elsewhere));
    }
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

  // What is as silent as one of them need not be waited for one by one.
  void forget_all_at(const Tcp::endpoint& peer) {
    std::erase_if(idle_, [&](const ConnectionPtr& held) {
      if (held->peer() != peer) return false;
      held->close();
      return true;
    });
  }

  void forget(Connection& connection) override {
    std::erase_if(idle_, [&](const ConnectionPtr& held) { return held.get() == &connection; });
  }

  std::shared_ptr<Origin> origin_;
  std::vector<ConnectionPtr> idle_;  // least recently used first
  Http2Pool shared_;
};

// The header lines of every HTTP/1.1 request.
std::string fixed_head(const Origin& origin) {
  std::string head =
      "Host: " + origin.url.authority() + "\r\nAccept-Encoding: " + origin.accept_encoding + "\r\n";
  if (origin.proxy && !origin.url.tls && !origin.proxy->authorization.empty()) {
    head += "Proxy-Authorization: " + origin.proxy->authorization + "\r\n";
  }
  return head;
}

}  // namespace

Result<std::unique_ptr<Client>> Client::make(asio::io_context& io, Url url, const ClientOptions& options) {
  if (has_line_break(url.host))
    return fail(ErrorCode::internal, "the upstream's host name holds a line break");
  auto origin = std::make_shared<Origin>(io, std::move(url), options);
  origin->accept_encoding = options.compression ? kContentCodings : "identity";
  origin->fixed_head = fixed_head(*origin);
  if (!origin->url.tls) {
    if (origin->proxy) origin->target_prefix = "http://" + origin->url.authority();
    return std::make_unique<ClientImpl<Socket>>(origin);
  }
  auto context = make_client_context(options.tls);
  if (!context) return fail(std::move(context).error());
  origin->tls = std::move(*context);
  origin->session.collect_from(origin->tls->native_handle());
  return std::make_unique<ClientImpl<TlsStream>>(origin);
}

}  // namespace embedrouter::net
