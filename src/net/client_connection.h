#pragma once
#include <memory>
#include <optional>
#include <string>

#include "net/client.h"
#include "net/dial.h"
#include "net/head.h"
#include "net/inbox.h"
#include "net/response_body.h"
#include "net/watchdog.h"

namespace embedrouter::net {

// One HTTP/1.1 connection to an origin: one exchange after the other. While it rests in the pool a
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

  ClientConnection(std::shared_ptr<Origin> origin, Link<Stream> link);

  // `request` must outlive the task. After a failure the connection is good for nothing.
  Task<Result<ClientResponse>> exchange(const ClientRequest& request);

  // After a failed exchange: the other side left before it answered a byte, so that the request may be sent
  // again.
  bool lost_unheard() const noexcept { return lost_ && !heard_; }
  // After a failed exchange: the other side said nothing at all for as long as it may.
  bool silent() const noexcept { return timed_out_ && !heard_; }
  // After a good one.
  bool reusable() const noexcept { return reusable_ && !inbox_.ended() && inbox_.unread().empty(); }
  const Tcp::endpoint& peer() const noexcept { return peer_; }

  void rest_in(Pool& pool);
  // False if the connection is no longer good.
  bool leave_pool();
  void close();

  void on_unawaited_read();  // from the inbox
  void on_deadline();        // from the watchdog

 private:
  // What the deadline in force is for. Its name is part of the error.
  enum class Wait : std::uint8_t { write, first_byte, body };

  Task<std::optional<Error>> write(const ClientRequest& request);
  Task<std::optional<Error>> read_head(bool to_head, ResponseFrame& frame, ClientResponse& response);
  Task<std::optional<Error>> read_sized(std::uint64_t size, Buffer& body);
  Task<std::optional<Error>> read_pieces(const ResponseFrame& frame, ResponseBody& body);
  Task<std::optional<Error>> take(std::string_view piece, ResponseBody& body);
  Task<bool> more();

  std::optional<Error> compose(const ClientRequest& request);
  void expect(Wait wait, std::chrono::milliseconds time);
  void await_answer_bytes();
  bool answer_begun();
  Error fault(const error_code& error);

  std::shared_ptr<Origin> origin_;
  std::unique_ptr<Stream> stream_;
  Tcp::endpoint peer_;
  Clock::Steady old_at_;  // not reused from then on
  Inbox<Stream, ClientConnection> inbox_;
  Watchdog<ClientConnection> watchdog_;
  Pool* pool_ = nullptr;  // while it rests

  Wait wait_ = Wait::write;
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
