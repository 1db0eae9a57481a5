#include "net/http2_connection.h"

#include <boost/asio/write.hpp>
#include <charconv>

#include "net/client_fault.h"
#include "net/field_text.h"
#include "net/http2_callbacks.h"
#include "net/http2_stream.h"
#include "net/request_text.h"
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

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // copied, never written to
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Http2Connection::Http2Connection(std::shared_ptr<Origin> origin, Link<TlsStream> link)
    : origin_(std::move(origin)),
      stream_(std::move(link.stream)),
      peer_(std::move(link.peer)),
      old_at_(steady_now() + origin_->limits.age),
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
  if (!closed_ && steady_now() >= old_at_) retire();
  return !closed_ && !retired_ && streams_.size() < stream_limit() &&
         nghttp2_session_check_request_allowed(session_.get()) != 0;
}

std::uint32_t Http2Connection::stream_limit() const {
  if (!settled_) return 1;
  const std::uint32_t said =
      nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return std::min(said == kNoLimit ? kStreams : said, refused_at_);
}

// --- one exchange

// A stream that is waited for: found by the callbacks as long as the coroutine runs.
class Http2Connection::Seat {
 public:
  Seat(std::shared_ptr<Http2Connection> connection, Http2Stream& stream)
      : connection_(std::move(connection)), stream_(stream) {}
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { connection_->leave(stream_); }

 private:
  std::shared_ptr<Http2Connection> connection_;
  Http2Stream& stream_;
};

Task<Http2Answer> Http2Connection::exchange(const ClientRequest& request) {
  used_ = true;
  Http2Stream stream(request, origin_->io.get_executor());
  const Seat seat(shared_from_this(), stream);
  std::optional<Error> failure = submit(stream);
  if (!failure) failure = co_await follow(stream);
  if (failure) stream.fault = std::move(*failure);
  Http2Answer answer = conclude(stream);
  leave(stream);
  flush();
  co_return answer;
}

std::optional<Error> Http2Connection::submit(Http2Stream& stream) {
  const ClientRequest& request = stream.request;
  if (auto unfit = unfit_to_send(request)) return unfit;
  const std::string authority = origin_->url.authority();
  std::vector<std::string> names;  // in lower case, as HTTP/2 wants them
  names.reserve(request.headers.size());
  std::vector<nghttp2_nv> fields{field(":method", request.method), field(":scheme", "https"),
                                 field(":authority", authority), field(":path", request.target),
                                 field("accept-encoding", origin_->accept_encoding)};
  for (const OwnedHeader& header : request.headers) {
    std::string& name = names.emplace_back(header.name);
    std::ranges::transform(name, name.begin(), ascii_lower);
    fields.push_back(field(name, header.value));
  }
  const std::string length = std::to_string(request.body.size());
  if (needs_length(request)) fields.push_back(field("content-length", length));
  const nghttp2_data_provider body = Callbacks::body_of(stream);
  const bool has_body = !request.body.empty();
  stream.sent = !has_body;
  stream.id = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                     has_body ? &body : nullptr, nullptr);
  if (stream.id < 0) {
    retire();
    stream.closed = true;
    stream.close_code = NGHTTP2_REFUSED_STREAM;
    return std::nullopt;
  }
  streams_.emplace(stream.id, &stream);
  watchdog_.clear();
  stream.expect(has_body ? Http2Stream::Wait::write : Http2Stream::Wait::first_byte,
                has_body ? origin_->deadlines.idle : origin_->deadlines.first_byte);
  flush();
  return std::nullopt;
}

// Until the answer is whole, or none will come.
Task<std::optional<Error>> Http2Connection::follow(Http2Stream& stream) {
  for (;;) {
    bool unfinished = false;
    if (auto failure = decode_some(stream, unfinished)) co_return failure;
    if (unfinished) {
      co_await asio::post(origin_->io, kAwait);
      if (steady_now() >= stream.request.deadline) co_return late(stream);
      continue;
    }
    if (stream.over()) co_return std::nullopt;
    stream.awaited = std::min(stream.step_end, stream.request.deadline);
    const Woken woken = co_await stream.changed.wait_until(stream.awaited);
    if (woken == Woken::cancelled) co_return caller_left();
    if (woken == Woken::notified || stream.over()) continue;
    if (steady_now() >= std::min(stream.step_end, stream.request.deadline)) co_return late(stream);
  }
}

std::optional<Error> Http2Connection::decode_some(Http2Stream& stream, bool& unfinished) {
  if (!stream.coded.empty()) {
    std::string_view rest = stream.coded;
    const auto more = stream.body->take(rest);
    if (!more) return more.error();
    const std::size_t taken = stream.coded.size() - rest.size();
    stream.coded.erase(0, taken);
    nghttp2_session_consume_stream(session_.get(), stream.id, taken);
    flush();
    unfinished = *more;
  }
  if (!unfinished && stream.complete && stream.body) return stream.body->finish();
  return std::nullopt;
}

// What is not over is reset: nobody wants it any more.
void Http2Connection::leave(Http2Stream& stream) {
  if (streams_.erase(stream.id) == 0) return;
  if (!stream.closed && !closed_) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_CANCEL);
  }
  if (!streams_.empty() || closed_) {
    if (pool_) pool_->changed();
    return;
  }
  if (retired_) return close();
  watchdog_.set(steady_now() + origin_->limits.idle_timeout, *this);
  if (pool_) pool_->changed();
}

Error Http2Connection::late(const Http2Stream& stream) {
  // Not a byte for anybody since the request began: whatever is at the other end, it is not well.
  if (heard_at_ <= stream.begun) retire();
  static constexpr std::string_view kWaits[] = {"the upstream to take the request", "the upstream's answer",
                                                "the rest of the upstream's answer"};
  return took_too_long(kWaits[static_cast<std::size_t>(stream.wait)],
                       stream.request.deadline <= stream.step_end);
}

Http2Answer Http2Connection::conclude(Http2Stream& stream) {
  using enum Http2Answer::Resend;
  if (stream.fault) return {fail(std::move(*stream.fault)), no};
  if (!stream.complete) return broken_off(stream);
  if (stream.status < 400 && !stream.sent) {
    return {fail(invalid_answer("the upstream answered before it had read the request")), no};
  }
  ClientResponse response;
  response.status = stream.status;
  auto head = std::make_shared<const Buffer>(stream.head);
  for (const Http2Stream::Field& each : stream.fields) {
    response.headers.add(head->view().substr(each.name, each.value - each.name),
                         head->view().substr(each.value, each.end - each.value));
  }
  response.head = std::move(head);
  response.body = stream.body ? stream.body->bytes() : std::make_shared<const Buffer>();
  return {std::move(response), no};
}

Http2Answer Http2Connection::broken_off(const Http2Stream& stream) {
  using enum Http2Answer::Resend;
  const std::uint32_t code = stream.close_code;
  if (code == NGHTTP2_ENHANCE_YOUR_CALM || goaway_code_ == NGHTTP2_ENHANCE_YOUR_CALM) {
    return {
        fail(ErrorCode::upstream_rate_limited, "the upstream asks for fewer requests (ENHANCE_YOUR_CALM)"),
        no};
  }
  if (distrusted_) return {fail(client_certificate_refused(lost_why_)), no};
  if (closed_ && code == NGHTTP2_NO_ERROR) {
    return {fail(closed_by_upstream(stream.heard, lost_why_)), stream.heard ? no : unheard};
  }
  if (code == NGHTTP2_REFUSED_STREAM) {
    // Fewer at once, until it says how many.
    if (!retired_) refused_at_ = static_cast<std::uint32_t>(streams_.size() - 1);
    return {fail(ErrorCode::upstream_overloaded, "the upstream refuses every request unread"), unprocessed};
  }
  if (code == NGHTTP2_HTTP_1_1_REQUIRED) {
    return {fail(ErrorCode::upstream_invalid_answer, "the upstream wants HTTP/1.1 and does not speak it"),
            http11};
  }
  const std::string name = nghttp2_http2_strerror(code);
  if (code == NGHTTP2_PROTOCOL_ERROR) {
    return {fail(invalid_answer("the upstream's answer is not valid HTTP/2", name)), no};
  }
  return {fail(closed_by_upstream(stream.heard, "stream reset: " + name)), no};
}

// --- what arrives

Http2Stream* Http2Connection::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

void Http2Connection::on_header(Http2Stream& stream, std::string_view name, std::string_view value) {
  stream.header_bytes += name.size() + value.size() + 4;
  if (stream.header_bytes > origin_->limits.header_bytes) {
    stream.fault = invalid_answer("the headers of the upstream's answer are too large");
    stream.changed.notify();
    return;
  }
  if (stream.body) return;  // a trailer
  if (name == ":status") {
    std::from_chars(value.data(), value.data() + value.size(), stream.status);
    return;
  }
  const std::size_t begin = stream.head.size();
  stream.head.append(name);
  const std::size_t middle = stream.head.size();
  stream.head.append(value);
  stream.fields.push_back({begin, middle, stream.head.size()});
}

void Http2Connection::on_headers_end(Http2Stream& stream, bool last) {
  stream.expect(Http2Stream::Wait::body, origin_->deadlines.idle);
  if (stream.status < 200) {  // an interim answer
    stream.head.clear();
    stream.fields.clear();
    return;
  }
  if (!stream.body) {
    std::string_view coding;
    std::uint64_t length = 0;
    for (const Http2Stream::Field& each : stream.fields) {
      const std::string_view head = stream.head;
      const std::string_view name = head.substr(each.name, each.value - each.name);
      const std::string_view value = head.substr(each.value, each.end - each.value);
      if (name == "content-encoding") coding = value;
      if (name == "content-length") std::from_chars(value.data(), value.data() + value.size(), length);
    }
    const auto known = parse_content_coding(coding);
    if (!known) {
      stream.fault = invalid_answer("the upstream's answer has a content coding that is not spoken here");
    }
    stream.body.emplace(known.value_or(ContentCoding::identity), origin_->limits.body_bytes);
    if (!stream.fault && stream.request.method != "HEAD") stream.fault = stream.body->expect(length);
    if (stream.fault) stream.changed.notify();
  }
  if (last) stream.complete = true;
}

// False: the connection is past use.
bool Http2Connection::on_data(Http2Stream& stream, std::string_view bytes) {
  const std::size_t size = bytes.size();
  stream.expect(Http2Stream::Wait::body, origin_->deadlines.idle);
  if (stream.fault || !stream.body) return nghttp2_session_consume(session_.get(), stream.id, size) == 0;
  if (stream.body->coded()) {
    // The stream's window opens again as it is decoded; the connection's at once, for the others.
    stream.coded.append(bytes);
    stream.changed.notify();
    return nghttp2_session_consume_connection(session_.get(), size) == 0;
  }
  auto taken = stream.body->take(bytes);
  if (!taken) {
    stream.fault = std::move(taken).error();
    stream.changed.notify();
  }
  return nghttp2_session_consume(session_.get(), stream.id, size) == 0;
}

std::size_t Http2Connection::give_body(Http2Stream& stream, std::span<char> room, bool& last) {
  const std::vector<std::string_view>& pieces = stream.request.body.pieces();
  std::size_t written = 0;
  while (stream.piece < pieces.size() && written < room.size()) {
    const std::string_view rest = pieces[stream.piece].substr(stream.offset);
    const std::size_t n = std::min(rest.size(), room.size() - written);
    rest.copy(room.data() + written, n);
    written += n;
    stream.offset += n;
    if (n < rest.size()) break;
    ++stream.piece;
    stream.offset = 0;
  }
  last = stream.sent = stream.piece == pieces.size();
  if (stream.wait == Http2Stream::Wait::write) {
    stream.expect(last ? Http2Stream::Wait::first_byte : Http2Stream::Wait::write,
                  last ? origin_->deadlines.first_byte : origin_->deadlines.idle);
  }
  return written;
}

// --- the connection

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
