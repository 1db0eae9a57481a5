#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/head.h"
#include "net/inbox.h"
#include "net/request_body.h"
#include "net/watchdog.h"
#include "net/worker.h"

namespace embedrouter::net {

// One client: reads a request, has the handler answer it, writes the answer, and again. One coroutine does
// all this; the handler runs in it, so cancelling the coroutine is how a client that leaves stops the work.
// Beside it runs only the inbox's pending read. Kept alive by that coroutine; lives on its worker's thread.
template <class Stream>
class ServerConnection final : public Exchange,
                               public Connection,
                               public std::enable_shared_from_this<ServerConnection<Stream>> {
 public:
  ServerConnection(std::shared_ptr<Worker> worker, std::shared_ptr<const ServerSettings> settings,
                   Stream stream);

  void start();

  const RequestHead& head() const override { return frame_.head; }
  std::string_view peer() const override { return peer_; }
  Task<Result<Buffer>> read_body(std::size_t limit) override;
  void keep_informed(std::chrono::milliseconds every) override;

  void begin_drain() override;
  void abort() override;

  void on_unawaited_read();  // from the inbox
  void on_deadline();        // from the watchdog

 private:
  enum class Phase : std::uint8_t { handshake, idle, head, body, working, writing, lingering, closed };
  enum class Arrival : std::uint8_t { request, broken, gone };

  Task<void> run();
  Task<bool> serve_one();
  Task<Arrival> read_head();
  std::optional<Arrival> take_head(HeadScanner& scanner);
  Arrival broken(Error fault);
  Task<std::optional<Error>> read_sized(Buffer& body);
  Task<std::optional<Error>> read_pieces(Buffer& body, std::size_t limit);
  std::string_view take_body();
  Task<bool> await_bytes();
  Task<void> say_continue();
  Task<Response> work();
  Task<bool> answer(const Response& response);
  Task<bool> write();
  Task<bool> drain_body();
  Task<void> linger();

  bool skip_blank_lines() noexcept;
  Error body_fault();
  void inform();
  void set_deadline(Clock::Steady deadline);
  void wait_for_bytes();
  void close();
  const ServerLimits& limits() const noexcept { return settings_->limits; }

  std::shared_ptr<Worker> worker_;
  std::shared_ptr<const ServerSettings> settings_;
  Stream stream_;
  Inbox<Stream, ServerConnection> inbox_;
  Watchdog<ServerConnection> watchdog_;
  asio::cancellation_signal cancel_;
  Waiter informed_;
  std::string peer_;

  Phase phase_ = Phase::handshake;
  Clock::Steady deadline_ = Clock::Steady::max();
  bool timed_out_ = false;
  bool gone_ = false;  // the client left, or the server ends: nothing is written any more
  bool keep_ = true;   // the connection, after this answer

  // Of the request under way.
  RequestFrame frame_;
  std::optional<Error> fault_;
  std::size_t head_end_ = 0;  // in the inbox: views of the head end here
  RequestBody body_;
  bool body_broken_ = false;  // where the next request would begin is not known
  bool continued_ = false;    // the client sends its body without waiting, or was told to go on
  Clock::Steady body_deadline_{};
  std::chrono::milliseconds inform_every_{0};
  Clock::Steady inform_at_ = Clock::Steady::max();
  bool informing_ = false;  // a 102 is being written

  std::string head_text_;
  Outbox outbox_;
};

extern template class ServerConnection<Socket>;
extern template class ServerConnection<TlsStream>;

}  // namespace embedrouter::net
