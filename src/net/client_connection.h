#pragma once
#include <boost/asio/ip/basic_resolver.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/client.h"
#include "net/head.h"
#include "net/inbox.h"
#include "net/tls_session.h"
#include "net/watchdog.h"

namespace embedrouter::net {

// What the connections of one client share. Lives as long as the last of them.
struct Origin {
  asio::io_context& io;
  Url url;
  ClientDeadlines deadlines;
  ClientLimits limits;
  std::unique_ptr<asio::ssl::context> tls;  // null: plain HTTP
  TlsSession session;
  std::string fixed_head;  // the header lines every request has
};

// One connection to an origin: opened once, then one exchange after the other. While it rests in the pool a
// read is pending, so that it is known at once when the other side closes. Lives on its origin's thread.
template <class Stream>
class ClientConnection final : public std::enable_shared_from_this<ClientConnection<Stream>> {
 public:
  // Where connections rest. Outlives them or lets go of them (leave_pool).
  class Pool {
   public:
    virtual void forget(ClientConnection& connection) = 0;

   protected:
    ~Pool() = default;
  };

  explicit ClientConnection(std::shared_ptr<Origin> origin);

  // Resolves, connects to one address after the other, and shakes hands. `total`: the request's deadline.
  Task<std::optional<Error>> open(Clock::Steady total);
  // `request` must outlive the task. After a failure the connection is good for nothing.
  Task<Result<ClientResponse>> exchange(const ClientRequest& request);

  // After a failed exchange: the other side left before it answered a byte, so that the request may be sent
  // again.
  bool lost_unheard() const noexcept { return lost_ && !heard_; }
  // After a good one.
  bool reusable() const noexcept { return reusable_ && !inbox_.ended() && inbox_.unread().empty(); }

  void rest_in(Pool& pool);
  // False if the connection is no longer good.
  bool leave_pool();
  void close();

  void on_unawaited_read();  // from the inbox
  void on_deadline();        // from the watchdog

 private:
  using Resolver = asio::ip::basic_resolver<Tcp, Executor>;
  // What the deadline in force is for. Its name is part of the error.
  enum class Wait : std::uint8_t { resolve, connect, handshake, write, first_byte, body };

  Task<std::optional<Error>> resolve(std::vector<Tcp::endpoint>& addresses);
  Task<std::optional<Error>> connect(const std::vector<Tcp::endpoint>& addresses, Clock::Steady end);
  Task<std::optional<Error>> shake_hands();
  Task<std::optional<Error>> write(const ClientRequest& request);
  Task<std::optional<Error>> read_head(bool to_head, ResponseFrame& frame, ClientResponse& response);
  Task<std::optional<Error>> read_sized(std::uint64_t size, Buffer& body);
  Task<std::optional<Error>> read_chunked(Buffer& body);
  Task<std::optional<Error>> read_to_end(Buffer& body);
  Task<bool> more();

  std::optional<Error> compose(const ClientRequest& request);
  void expect(Wait wait, std::chrono::milliseconds time);
  void await_answer_bytes();
  bool answer_begun();
  Error fault(const error_code& error);
  Error too_large() const;

  std::shared_ptr<Origin> origin_;
  Stream stream_;
  Inbox<Stream, ClientConnection> inbox_;
  Watchdog<ClientConnection> watchdog_;
  std::optional<Resolver> resolver_;  // while resolving
  Pool* pool_ = nullptr;              // while it rests

  Wait wait_ = Wait::resolve;
  Clock::Steady total_ = Clock::Steady::max();
  bool total_is_near_ = false;  // the deadline in force is the request's own
  bool timed_out_ = false;
  bool writing_ = false;
  bool answered_early_ = false;  // before the request was out
  bool heard_ = false;           // a byte of this answer arrived
  bool lost_ = false;
  bool reusable_ = false;

  std::string head_text_;
  Outbox outbox_;
};

extern template class ClientConnection<Socket>;
extern template class ClientConnection<TlsStream>;

}  // namespace embedrouter::net
