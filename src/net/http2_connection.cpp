#include "net/http2_connection.h"

#include <boost/asio/write.hpp>

#include "net/http2_callbacks.h"
#include "net/http2_stream.h"
#include "net/tls.h"

namespace embedrouter::net {
namespace {

constexpr std::size_t kReadRoom = 32 * 1024;
constexpr std::size_t kWriteAhead = 64 * 1024;
// Answers are megabytes: a window that small ones never fill and large ones seldom.
constexpr std::int32_t kStreamWindow = 4 << 20;
constexpr std::int32_t kConnectionWindow = 16 << 20;
// Where the upstream sets no limit to streams (RFC 9113 section 6.5.2 recommends no fewer).
constexpr std::uint32_t kStreams = 100;

nghttp2_session* make_session(nghttp2_session_callbacks* callbacks, void* user, std::size_t header_bytes) {
  const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> owner(
      callbacks, &nghttp2_session_callbacks_del);
  nghttp2_option* option = nullptr;
  if (nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  const std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)> option_owner(option,
                                                                                    &nghttp2_option_del);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_session* session = nullptr;
  if (nghttp2_session_client_new2(&session, callbacks, user, option) != 0) throw std::bad_alloc();
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(header_bytes)}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return session;
}

}  // namespace

Http2Connection::Http2Connection(std::shared_ptr<Origin> origin, Link<TlsStream> link)
    : origin_(std::move(origin)),
      stream_(std::move(link.stream)),
      peer_(std::move(link.peer)),
      opened_at_(steady_now()),
      session_(make_session(Callbacks::make(), this, origin_->limits.header_bytes), &nghttp2_session_del),
      watchdog_(origin_->io.get_executor()),
      in_(kReadRoom),
      heard_at_(steady_now()) {}

Http2Connection::~Http2Connection() = default;

void Http2Connection::start(Pool& pool) {
  pool_ = &pool;
  watchdog_.set(steady_now() + origin_->limits.idle_timeout, *this);
  flush();
  read();
}

bool Http2Connection::has_room() {
  if (!closed_ && steady_now() >= opened_at_ + origin_->limits.age) retire();
  return !closed_ && !retired_ && streams_.size() < stream_limit() &&
         nghttp2_session_check_request_allowed(session_.get()) != 0;
}

std::uint32_t Http2Connection::stream_limit() const {
  if (!settled_) return 1;
  const std::uint32_t said =
      nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return std::min(said == kNoLimit ? kStreams : said, refused_at_);
}

void Http2Connection::read() {
  const auto room = asio::buffer(in_.data(), kReadRoom);
  stream_->async_read_some(room, [self = shared_from_this()](const error_code& error, std::size_t n) {
    if (self->closed_) return;
    if (n > 0) self->take({self->in_.data(), n});
    if (self->closed_) return;
    if (error) {
      self->distrusted_ = refuses_our_identity(error);
      return self->lose(error.message());
    }
    self->read();
  });
}

void Http2Connection::take(std::string_view bytes) {
  heard_at_ = steady_now();
  const ssize_t taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) return lose(nghttp2_strerror(static_cast<int>(taken)));
  flush();
  if (retired_ && !closed_) {
    if (streams_.empty()) return close();
    if (pool_) pool_->changed();
  }
}

void Http2Connection::flush() {
  if (writing_ || closed_) return;
  out_.clear();
  while (out_.size() < kWriteAhead) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) return lose(nghttp2_strerror(static_cast<int>(size)));
    if (size == 0) break;
    out_.append({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  }
  if (out_.empty()) {
    // The library has given up on the other side and said so.
    if (nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0) {
      lose("it does not speak HTTP/2");
    }
    return;
  }
  writing_ = true;
  asio::async_write(*stream_, asio::buffer(out_.data(), out_.size()),
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->writing_ = false;
                      if (self->closed_) return;
                      // What it has said before it left may still be read.
                      if (!error) self->flush();
                    });
}

void Http2Connection::lose(std::string why) {
  lost_why_ = std::move(why);
  close();
}

void Http2Connection::retire() {
  retired_ = true;
  if (streams_.empty()) close();
}

void Http2Connection::close() {
  if (closed_) return;
  closed_ = true;
  watchdog_.stop();
  error_code ignored;
  socket_of(*stream_).close(ignored);
  for (const auto& [id, stream] : streams_) {
    stream->closed = true;
    stream->changed.notify();
  }
  if (pool_) std::exchange(pool_, nullptr)->changed();
}

void Http2Connection::on_deadline() {
  if (streams_.empty()) close();
}

}  // namespace embedrouter::net
