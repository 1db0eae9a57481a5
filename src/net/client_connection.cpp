#include "net/client_connection.h"

#include <sys/socket.h>

#include <cerrno>

#include "net/chunked.h"
#include "net/client_fault.h"
#include "net/request_text.h"
#include "net/tls.h"

namespace embedrouter::net {
namespace {

constexpr std::size_t kInboxRoom = 16 * 1024;

}  // namespace

template <class Stream>
ClientConnection<Stream>::ClientConnection(std::shared_ptr<Origin> origin, Link<Stream> link)
    : origin_(std::move(origin)),
      stream_(std::move(link.stream)),
      peer_(std::move(link.peer)),
      old_at_(steady_now() + origin_->limits.age),
      inbox_(*stream_, kInboxRoom),
      watchdog_(origin_->io.get_executor()) {}

// --- one exchange
// -----------------------------------------------------------------------------------------------

template <class Stream>
Task<Result<ClientResponse>> ClientConnection<Stream>::exchange(const ClientRequest& request) {
  total_ = request.deadline;
  heard_ = lost_ = reusable_ = timed_out_ = answered_early_ = false;
  if (auto invalid = compose(request)) co_return fail(std::move(*invalid));
  auto failure = co_await write(request);
  if (failure) co_return fail(std::move(*failure));

  ClientResponse response;
  ResponseFrame frame;
  expect(Wait::first_byte, origin_->deadlines.first_byte);
  failure = co_await read_head(request.method == "HEAD", frame, response);
  if (failure) co_return fail(std::move(*failure));

  BodySink* const sink =
      request.sink != nullptr && request.sink->wants(frame.status, frame.headers) ? request.sink : nullptr;
  ResponseBody body(frame.coding, origin_->limits.body_bytes, sink);
  const std::uint64_t size = frame.content_length.value_or(0);
  if (frame.has_body) failure = body.expect(size);
  if (failure) co_return fail(std::move(*failure));
  if (frame.has_body && frame.content_length && body.plain()) {
    failure = co_await read_sized(size, body.buffer());
  } else if (frame.has_body) {
    failure = co_await read_pieces(frame, body);
  }
  if (failure) co_return fail(std::move(*failure));
  watchdog_.clear();
  reusable_ = frame.keep_alive && !answered_early_;
  response.status = frame.status;
  response.headers = std::move(frame.headers);
  response.body = body.bytes();
  co_return response;
}

template <class Stream>
std::optional<Error> ClientConnection<Stream>::compose(const ClientRequest& request) {
  if (auto unfit = unfit_to_send(request)) return unfit;
  head_text_.assign(request.method);
  head_text_ += ' ';
  head_text_ += origin_->target_prefix;
  head_text_ += request.target;
  head_text_ += " HTTP/1.1\r\n";
  head_text_ += origin_->fixed_head;
  for (const OwnedHeader& header : request.headers) {
    head_text_ += header.name;
    head_text_ += ": ";
    head_text_ += header.value;
    head_text_ += "\r\n";
  }
  if (needs_length(request)) {
    head_text_ += "Content-Length: ";
    head_text_ += std::to_string(request.body.size());
    head_text_ += "\r\n";
  }
  head_text_ += "\r\n";
  return std::nullopt;
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::write(const ClientRequest& request) {
  outbox_.set(head_text_, &request.body);
  writing_ = true;
  error_code error;
  while (!error) {
    expect(Wait::write, origin_->deadlines.idle);
    const std::size_t n =
        co_await stream_->async_write_some(outbox_.rest(), asio::redirect_error(kAwait, error));
    outbox_.consume(n);
    if (outbox_.empty()) break;
    inbox_.start(this->shared_from_this());  // a refusal may come before the whole request is out
  }
  writing_ = false;
  if (!error) co_return std::nullopt;
  // The other side may have refused the rest of the request; its answer says more than the broken pipe.
  const bool left = error != asio::error::operation_aborted;
  if (!timed_out_ && (answered_early_ || left)) {
    answered_early_ = true;
    co_return std::nullopt;
  }
  co_return fault(error);
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::read_head(bool to_head, ResponseFrame& frame,
                                                               ClientResponse& response) {
  HeadScanner scanner;
  std::size_t interim = 0;
  heard_ = heard_ || !inbox_.unread().empty();
  for (;;) {
    if (!inbox_.reading()) inbox_.rewind();
    const auto state = scanner.scan(inbox_.unread());
    if (state == HeadScanner::State::malformed) {
      co_return Error(ErrorCode::upstream_invalid_answer, "the upstream's answer is not valid HTTP")
          .with_detail("header lines must end in CRLF");
    }
    const bool complete = state == HeadScanner::State::complete;
    const std::size_t size = complete ? scanner.length() : inbox_.unread().size();
    if (interim + size > origin_->limits.header_bytes) {
      co_return Error(ErrorCode::upstream_invalid_answer,
                      "the headers of the upstream's answer are too large");
    }
    if (complete) {
      auto head = std::make_shared<const Buffer>(inbox_.unread().substr(0, size));
      inbox_.consume(size);
      auto invalid = parse_response_head(head->view(), to_head, frame);
      if (invalid) co_return invalid;
      response.head = std::move(head);
      if (frame.status == 101) {
        co_return Error(ErrorCode::upstream_invalid_answer,
                        "the upstream changed to another protocol unasked");
      }
      // A success before the request was out answers something else.
      if (frame.status >= 200 && frame.status < 400 && answered_early_) {
        co_return Error(ErrorCode::upstream_invalid_answer,
                        "the upstream answered before it had read the request");
      }
      if (frame.status >= 200) co_return std::nullopt;
      // The upstream is at work, and may take as long again.
      expect(Wait::first_byte, origin_->deadlines.first_byte);
      interim += size;
      scanner = {};
      continue;
    }
    if (inbox_.room() == 0) inbox_.grow(inbox_.capacity() * 2);
    const bool arrived = co_await more();
    if (!arrived) co_return fault(inbox_.error());
    if (wait_ == Wait::first_byte) expect(Wait::body, origin_->deadlines.idle);
    heard_ = true;
  }
}

// --- the body
// ---------------------------------------------------------------------------------------------------

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::read_sized(std::uint64_t size, Buffer& body) {
  body.reserve(size);
  for (;;) {
    const std::string_view arrived = inbox_.unread().substr(0, size - body.size());
    body.append(arrived);
    inbox_.consume(arrived.size());
    if (body.size() == size) co_return std::nullopt;
    if (inbox_.reading()) {
      const bool more_arrived = co_await more();
      if (!more_arrived) co_return fault(inbox_.error());
      continue;
    }
    if (inbox_.ended()) co_return fault(inbox_.error());
    expect(Wait::body, origin_->deadlines.idle);
    error_code error;
    const auto rest = asio::buffer(body.data() + body.size(), size - body.size());
    const std::size_t n = co_await stream_->async_read_some(rest, asio::redirect_error(kAwait, error));
    body.grow_by(n);
    if (error) co_return fault(error);
  }
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::read_pieces(const ResponseFrame& frame,
                                                                 ResponseBody& body) {
  ChunkedDecoder chunks;
  std::uint64_t left = frame.content_length.value_or(std::numeric_limits<std::uint64_t>::max());
  for (;;) {
    const std::span<char> arrived = inbox_.unread_bytes();
    ChunkedDecoder::Step step;
    step.consumed = step.payload = static_cast<std::size_t>(std::min<std::uint64_t>(left, arrived.size()));
    if (frame.chunked) step = chunks.decode(arrived);
    const std::string_view piece(arrived.data(), step.payload);
    auto failure = co_await take(piece, body);
    if (failure) co_return failure;
    inbox_.consume(step.consumed);
    left -= step.payload;
    if (left == 0 || chunks.state() == ChunkedDecoder::State::done) co_return body.finish();
    if (chunks.state() == ChunkedDecoder::State::malformed) {
      co_return invalid_answer("the upstream's answer is not valid HTTP", "its chunked body is malformed");
    }
    expect(Wait::body, origin_->deadlines.idle);
    const bool arrived_more = co_await more();
    if (arrived_more) continue;
    // Over TLS only a proper close_notify gets here: a cut connection ends with another error.
    const bool to_the_end = !frame.chunked && !frame.content_length;
    if (to_the_end && inbox_.error() == asio::error::eof && !timed_out_) co_return body.finish();
    co_return fault(inbox_.error());
  }
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::take(std::string_view piece, ResponseBody& body) {
  for (;;) {
    const auto unfinished = body.take(piece);
    if (!unfinished) co_return unfinished.error();
    if (!*unfinished) co_return std::nullopt;
    expect(Wait::body, origin_->deadlines.idle);
    co_await asio::post(origin_->io, kAwait);
    if (timed_out_) co_return fault({});
  }
}

// Waits for bytes behind those in the inbox. False when none will come, or the coroutine is cancelled.
template <class Stream>
Task<bool> ClientConnection<Stream>::more() {
  const std::size_t before = inbox_.unread().size();
  if (!inbox_.reading() && before == 0) inbox_.rewind();
  inbox_.start(this->shared_from_this());
  if (inbox_.reading()) {
    const bool woken = co_await inbox_.wait();
    if (!woken) inbox_.end(asio::error::operation_aborted);
  }
  co_return inbox_.unread().size() > before;
}

// --- deadlines and failures
// -------------------------------------------------------------------------------------

template <class Stream>
void ClientConnection<Stream>::expect(Wait wait, std::chrono::milliseconds time) {
  wait_ = wait;
  const Clock::Steady own = steady_now() + time;
  total_is_near_ = total_ <= own;
  watchdog_.set(std::min(own, total_), *this);
}

template <class Stream>
void ClientConnection<Stream>::on_deadline() {
  if (pool_) {
    pool_->forget(*this);
    return close();
  }
  timed_out_ = true;
  error_code ignored;
  socket_of(*stream_).close(ignored);
}

template <class Stream>
void ClientConnection<Stream>::on_unawaited_read() {
  if (pool_) {  // closed by the other side, or it speaks out of turn
    pool_->forget(*this);
    close();
  } else if (writing_ && answer_begun()) {
    answered_early_ = true;
    error_code ignored;
    socket_of(*stream_).cancel(ignored);
  } else if (writing_) {
    inbox_.rewind();
    inbox_.start(this->shared_from_this());
  }
}

// While the request is still going out. Interim answers (1xx) do not end it, and are taken away.
template <class Stream>
bool ClientConnection<Stream>::answer_begun() {
  static constexpr std::string_view kInterim = "HTTP/1.1 10";
  if (inbox_.ended()) return true;
  for (;;) {
    const std::string_view text = inbox_.unread();
    if (kInterim.starts_with(text)) return false;
    if (!text.starts_with(kInterim)) return true;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return inbox_.room() == 0;
    inbox_.consume(end + 4);
  }
}

template <class Stream>
Error ClientConnection<Stream>::fault(const error_code& error) {
  static constexpr std::string_view kWaits[] = {"the upstream to take the request", "the upstream's answer",
                                                "the rest of the upstream's answer"};
  const std::string waited_for(kWaits[static_cast<std::size_t>(wait_)]);
  if (timed_out_) return took_too_long(waited_for, total_is_near_);
  if (error == asio::error::operation_aborted) return caller_left();
  if (refuses_our_identity(error)) return client_certificate_refused(error.message());
  lost_ = true;
  return closed_by_upstream(heard_, "waiting for " + waited_for + ": " + error.message());
}

// --- the pool
// ---------------------------------------------------------------------------------------------------

template <class Stream>
void ClientConnection<Stream>::rest_in(Pool& pool) {
  pool_ = &pool;
  watchdog_.set(steady_now() + origin_->limits.idle_timeout, *this);
  if (!inbox_.reading()) inbox_.rewind();
  inbox_.start(this->shared_from_this());
}

template <class Stream>
bool ClientConnection<Stream>::leave_pool() {
  pool_ = nullptr;
  if (steady_now() >= old_at_) return false;
  // Bytes that wait unread belong to no request, or say that the other side has closed. The pending read has
  // not seen them yet, and they must not be taken for the next answer.
  char byte = 0;
  const auto waiting = ::recv(socket_of(*stream_).native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return waiting < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && reusable();
}

template <class Stream>
void ClientConnection<Stream>::close() {
  pool_ = nullptr;
  watchdog_.stop();
  error_code ignored;
  socket_of(*stream_).close(ignored);
}

template class ClientConnection<Socket>;
template class ClientConnection<TlsStream>;

}  // namespace embedrouter::net
