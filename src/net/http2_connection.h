#pragma once
#include <nghttp2/nghttp2.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/client.h"
#include "net/dial.h"
#include "net/watchdog.h"

namespace embedrouter::net {

struct Http2Stream;

// What became of one request on a stream.
struct Http2Answer {
  // Whether it may be sent again, and why: unheard: the connection was lost before a byte of the answer;
  // unprocessed: the upstream says it has not looked at it; http11: it wants the older protocol for it.
  enum class Resend : std::uint8_t { no, unheard, unprocessed, http11 };
  Http2Answer(Result<ClientResponse> r, Resend again) : result(std::move(r)), resend(again) {}
  Result<ClientResponse> result;
  Resend resend;
};

// One HTTP/2 connection to an origin, shared by requests. Lives on its origin's thread, as long as it is
// open.
class Http2Connection final : public std::enable_shared_from_this<Http2Connection> {
 public:
  // Where connections are found. Outlives them or closes them.
  class Pool {
   public:
    // It takes another request now, or is gone.
    virtual void changed() = 0;

   protected:
    ~Pool() = default;
  };

  Http2Connection(std::shared_ptr<Origin> origin, Link<TlsStream> link);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection();
  // Says hello and reads from now on.
  void start(Pool& pool);

  // `request` must outlive the task.
  Task<Http2Answer> exchange(const ClientRequest& request);

  // It may carry one more request.
  bool has_room();
  // Streams at once: one until the upstream has said how many.
  std::uint32_t stream_limit() const;
  bool settled() const noexcept { return settled_; }
  bool used() const noexcept { return used_; }
  bool idle() const noexcept { return streams_.empty(); }
  bool open() const noexcept { return !closed_; }
  Clock::Steady opened_at() const noexcept { return opened_at_; }
  // Takes no more requests, and closes after the last.
  void retire();
  void close();

  void on_deadline();  // from the watchdog: nobody needed it for long

 private:
  struct Callbacks;
  class Seat;
  using SessionPtr = std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)>;

  std::optional<Error> submit(Http2Stream& stream);
  Task<std::optional<Error>> follow(Http2Stream& stream);
  std::optional<Error> decode_some(Http2Stream& stream, bool& unfinished);
  void leave(Http2Stream& stream);
  Error late(const Http2Stream& stream);
  Http2Answer conclude(Http2Stream& stream);
  Http2Answer broken_off(const Http2Stream& stream);

  Http2Stream* find(std::int32_t id) const;
  void on_header(Http2Stream& stream, std::string_view name, std::string_view value);
  void on_headers_end(Http2Stream& stream, bool last);
  bool on_data(Http2Stream& stream, std::string_view bytes);
  std::size_t give_body(Http2Stream& stream, std::span<char> room, bool& last);

  void read();
  void take(std::string_view bytes);
  void flush();
  void lose(std::string why);

  std::shared_ptr<Origin> origin_;
  std::unique_ptr<TlsStream> stream_;
  Tcp::endpoint peer_;
  Clock::Steady opened_at_;
  SessionPtr session_;
  Watchdog<Http2Connection> watchdog_;
  Pool* pool_ = nullptr;
  std::unordered_map<std::int32_t, Http2Stream*> streams_;
  Buffer in_, out_;
  Clock::Steady heard_at_;
  std::uint32_t refused_at_ = kNoLimit;  // so many streams were too many
  std::uint32_t goaway_code_ = NGHTTP2_NO_ERROR;
  bool settled_ = false;  // the upstream's settings are here
  bool used_ = false;
  bool writing_ = false;
  bool retired_ = false;
  bool closed_ = false;
  bool distrusted_ = false;  // it wants another client certificate
  std::string lost_why_;

  static constexpr std::uint32_t kNoLimit = 0xFFFFFFFF;
};

}  // namespace embedrouter::net
