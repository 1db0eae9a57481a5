#include "net/server_connection.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace embedrouter::net {
namespace {

using std::chrono::seconds;

// Most requests and the beginning of larger bodies fit; an idle connection costs little.
constexpr std::size_t kInboxRoom = 4 * 1024;
// Behind a head, so that the watch for the client's leaving has somewhere to read to.
constexpr std::size_t kWatchRoom = 512;
// How much of an unwanted body is read to keep a connection.
constexpr std::uint64_t kMaxDrain = 1 << 20;
// After the last answer the client may still be sending. Closing at once would reset the connection, and the
// answer with it.
constexpr seconds kLingerIdle{5};
constexpr seconds kLingerTotal{30};

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kProcessing = "HTTP/1.1 102 Processing\r\n\r\n";

std::string in_seconds(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() % 1000 / 100) + " s";
}

}  // namespace

template <class Stream>
ServerConnection<Stream>::ServerConnection(std::shared_ptr<Worker> worker,
                                           std::shared_ptr<const ServerSettings> settings, Stream stream)
    : worker_(std::move(worker)),
      settings_(std::move(settings)),
      stream_(std::move(stream)),
      inbox_(stream_, kInboxRoom),
      watchdog_(worker_->io.get_executor()),
      informed_(worker_->io.get_executor()) {
  error_code error;
  const auto endpoint = socket_of(stream_).remote_endpoint(error);
  if (!error) peer_ = endpoint.address().to_string();
}

template <class Stream>
void ServerConnection<Stream>::start() {
  worker_->add(this);
  auto self = this->shared_from_this();
  asio::co_spawn(worker_->io.get_executor(), run(),
                 asio::bind_cancellation_slot(cancel_.slot(), [self](const std::exception_ptr&) {
                   self->close();
                   // The slot of `cancel_` is in use until the coroutine is gone altogether.
                   asio::post(self->worker_->io, [self] {});
                 }));
}

template <class Stream>
Task<void> ServerConnection<Stream>::run() {
  if constexpr (kIsTls<Stream>) {
    set_deadline(steady_now() + limits().header_timeout);
    error_code error;
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(kAwait, error));
    if (error) co_return;
  }
  for (bool more = true; more;) more = co_await serve_one();
}

template <class Stream>
Task<bool> ServerConnection<Stream>::serve_one() {
  const Arrival arrival = co_await read_head();
  if (arrival == Arrival::gone) co_return false;
  Response response;
  if (arrival == Arrival::broken) {
    response = worker_->handler.refuse(*fault_);
  } else {
    response = co_await work();
    if (gone_) co_return false;
  }
  const bool promised = continued_ || !frame_.expects_continue;  // that the body is read
  keep_ = arrival == Arrival::request && frame_.keep_alive && !body_broken_ && body_.left() <= kMaxDrain &&
          (promised || !body_.pending()) && !worker_->server->draining.load(std::memory_order_relaxed);
  const bool written = co_await answer(response);
  if (!written) co_return false;
  if (keep_ && body_.pending()) keep_ = co_await drain_body();
  if (!keep_) co_await linger();
  co_return keep_;
}

// --- the head
// ---------------------------------------------------------------------------------------------------

template <class Stream>
auto ServerConnection<Stream>::read_head() -> Task<Arrival> {
  phase_ = Phase::idle;
  timed_out_ = false;
  HeadScanner scanner;
  set_deadline(steady_now() + limits().idle_timeout);
  for (;;) {
    if (phase_ == Phase::idle && !inbox_.reading()) inbox_.rewind();
    if (!skip_blank_lines()) {
      if (const auto arrival = take_head(scanner)) co_return *arrival;
      if (phase_ == Phase::idle) {
        phase_ = Phase::head;
        set_deadline(steady_now() + limits().header_timeout);
      }
    }
    if (inbox_.ended()) {
      if (!timed_out_) co_return Arrival::gone;
      co_return broken(Error(ErrorCode::request_timeout, "the request's headers did not arrive within " +
                                                             in_seconds(limits().header_timeout)));
    }
    if (phase_ == Phase::idle && worker_->server->draining.load(std::memory_order_relaxed))
      co_return Arrival::gone;
    if (!inbox_.reading()) {
      if (inbox_.room() == 0) inbox_.grow(inbox_.capacity() * 2);
      inbox_.start(this->shared_from_this());
    }
    const bool woken = co_await inbox_.wait();
    if (!woken) co_return Arrival::gone;
  }
}

// Empty lines before a request are left over from clients that end a body with one. True if nothing else is
// there.
template <class Stream>
bool ServerConnection<Stream>::skip_blank_lines() noexcept {
  if (phase_ != Phase::idle) return false;
  while (inbox_.unread().starts_with("\r\n")) inbox_.consume(2);
  return inbox_.unread().empty() || inbox_.unread() == "\r";
}

template <class Stream>
auto ServerConnection<Stream>::take_head(HeadScanner& scanner) -> std::optional<Arrival> {
  const auto state = scanner.scan(inbox_.unread());
  if (state == HeadScanner::State::malformed) {
    return broken(
        Error(ErrorCode::invalid_request,
              "the request is not valid HTTP: header lines end in CRLF and do not begin with a blank"));
  }
  const bool complete = state == HeadScanner::State::complete;
  const std::size_t size = complete ? scanner.length() : inbox_.unread().size();
  if (size > limits().header_bytes) {
    return broken(Error(ErrorCode::headers_too_large, "the request line and headers are longer than " +
                                                          std::to_string(limits().header_bytes) + " bytes"));
  }
  if (!complete) return std::nullopt;
  if (!inbox_.reading() && inbox_.capacity() < size + kWatchRoom) inbox_.grow(size + 2 * kWatchRoom);

  body_broken_ = false;
  continued_ = false;
  const std::string_view head = inbox_.unread().substr(0, size);
  inbox_.consume(size);
  head_end_ = inbox_.taken();
  if (auto fault = parse_request_head(head, frame_)) return broken(std::move(*fault));
  body_ = RequestBody(frame_.head);
  continued_ = !inbox_.unread().empty();
  return Arrival::request;
}

template <class Stream>
auto ServerConnection<Stream>::broken(Error fault) -> Arrival {
  fault_ = std::move(fault);
  frame_.head = RequestHead();
  frame_.http11 = true;
  frame_.expects_continue = false;
  body_ = RequestBody();
  return Arrival::broken;
}

// --- the body
// ---------------------------------------------------------------------------------------------------

template <class Stream>
Task<Result<Buffer>> ServerConnection<Stream>::read_body(std::size_t limit) {
  Buffer body;
  if (!body_.pending()) co_return body;
  if (!frame_.head.coding) {
    co_return fail(ErrorCode::unsupported_coding,
                   "the body's Content-Encoding is not spoken here; send it plain or in one of " +
                       std::string(kContentCodings));
  }
  if (body_.left() > limit) {
    co_return fail(ErrorCode::payload_too_large, "the body has " + std::to_string(body_.left()) +
                                                     " bytes; at most " + std::to_string(limit) +
                                                     " are taken");
  }
  phase_ = Phase::body;
  body_deadline_ = steady_now() + limits().body_timeout;
  std::optional<Error> fault;
  if (frame_.expects_continue && !continued_) co_await say_continue();
  if (body_.open_ended()) {
    fault = co_await read_pieces(body, limit);
  } else {
    fault = co_await read_sized(body);
  }
  phase_ = Phase::working;
  set_deadline(Clock::Steady::max());
  if (fault) co_return fail(std::move(*fault));
  if (!inbox_.reading() && inbox_.unread().empty()) inbox_.drop_unread(head_end_);
  inbox_.start(this->shared_from_this());
  co_return body;
}

template <class Stream>
Task<std::optional<Error>> ServerConnection<Stream>::read_sized(Buffer& body) {
  body.reserve(body_.left());
  for (;;) {
    const std::string_view arrived = inbox_.unread().substr(0, body_.left());
    body.append(arrived);
    inbox_.consume(arrived.size());
    body_.skip(arrived.size());
    if (!body_.pending()) co_return std::nullopt;
    if (inbox_.reading()) {
      const bool more = co_await await_bytes();
      if (!more) co_return body_fault();
      continue;
    }
    if (inbox_.ended()) co_return body_fault();
    wait_for_bytes();
    error_code error;
    const auto rest = asio::buffer(body.data() + body.size(), body_.left());
    const std::size_t n = co_await stream_.async_read_some(rest, asio::redirect_error(kAwait, error));
    body.grow_by(n);
    body_.skip(n);
    if (error) {
      inbox_.end(error);
      co_return body_fault();
    }
  }
}

// What has arrived of the body, its framing taken off. A view into the inbox.
template <class Stream>
std::string_view ServerConnection<Stream>::take_body() {
  const std::span<char> arrived = inbox_.unread_bytes();
  const ChunkedDecoder::Step step = body_.unframe(arrived);
  inbox_.consume(step.consumed);
  return {arrived.data(), step.payload};
}

// A body that grows as it arrives.
template <class Stream>
Task<std::optional<Error>> ServerConnection<Stream>::read_pieces(Buffer& body, std::size_t limit) {
  const auto executor = worker_->io.get_executor();
  for (;;) {
    std::string_view piece = take_body();
    if (body_.malformed()) co_return body_fault();
    auto again = body_.decode(piece, body, limit);
    while (again && *again) {
      co_await asio::post(executor, kAwait);
      again = body_.decode(piece, body, limit);
    }
    if (!again) co_return std::move(again).error();
    if (!body_.pending()) co_return body_.finish();
    if (!inbox_.unread().empty()) continue;  // arrived meanwhile
    const bool more = co_await await_bytes();
    if (!more) co_return body_fault();
  }
}

// For bytes in the inbox, all of whose are taken. False when none will come.
template <class Stream>
Task<bool> ServerConnection<Stream>::await_bytes() {
  if (!inbox_.reading()) {
    inbox_.drop_unread(head_end_);
    inbox_.start(this->shared_from_this());
  }
  wait_for_bytes();
  if (inbox_.reading()) {
    const bool woken = co_await inbox_.wait();
    if (!woken) gone_ = true;
  }
  co_return !inbox_.unread().empty() && !gone_;
}

template <class Stream>
void ServerConnection<Stream>::wait_for_bytes() {
  set_deadline(std::min(body_deadline_, steady_now() + limits().idle_timeout));
}

// Every way a body ends early leaves the start of the next request unknown.
template <class Stream>
Error ServerConnection<Stream>::body_fault() {
  body_broken_ = true;
  if (body_.malformed()) {
    return {ErrorCode::invalid_request, "the request is not valid HTTP: its chunked body is malformed"};
  }
  if (timed_out_) {
    const bool paused = steady_now() < body_deadline_;
    return {ErrorCode::request_timeout,
            paused ? "nothing of the body arrived for " + in_seconds(limits().idle_timeout)
                   : "the body did not arrive within " + in_seconds(limits().body_timeout)};
  }
  gone_ = true;
  return {ErrorCode::client_closed, "the client left before its request was complete"};
}

template <class Stream>
Task<void> ServerConnection<Stream>::say_continue() {
  continued_ = true;
  outbox_.set(kContinue, nullptr);
  co_await write();
  phase_ = Phase::body;
}

template <class Stream>
Task<bool> ServerConnection<Stream>::drain_body() {
  phase_ = Phase::body;
  body_deadline_ = steady_now() + limits().body_timeout;
  std::uint64_t drained = 0;
  for (;;) {
    const std::size_t before = inbox_.taken();
    take_body();
    drained += inbox_.taken() - before;
    if (!body_.pending()) co_return !body_.malformed();
    if (drained > kMaxDrain) co_return false;
    const bool more = co_await await_bytes();
    if (!more) co_return false;
  }
}

// --- the work
// ---------------------------------------------------------------------------------------------------

template <class Stream>
Task<Response> ServerConnection<Stream>::work() {
  phase_ = Phase::working;
  set_deadline(Clock::Steady::max());
  inbox_.start(this->shared_from_this());
  Response response;
  bool failed = false;
  try {
    response = co_await worker_->handler.handle(*this);
  } catch (const boost::system::system_error&) {
    failed = true;  // the wait of a cancelled coroutine throws
  } catch (const std::exception&) {
    failed = true;
  }
  inform_every_ = std::chrono::milliseconds(0);
  inform_at_ = Clock::Steady::max();
  if (failed && !gone_)
    response = worker_->handler.refuse(Error(ErrorCode::internal, "the request failed inside the router"));
  co_return response;
}

template <class Stream>
void ServerConnection<Stream>::keep_informed(std::chrono::milliseconds every) {
  if (!frame_.http11) return;  // HTTP/1.0 knows no interim answers
  inform_every_ = every;
  inform_at_ = steady_now() + every;
  set_deadline(deadline_);
}

template <class Stream>
void ServerConnection<Stream>::inform() {
  if (informing_ || (phase_ != Phase::working && phase_ != Phase::body)) return;
  informing_ = true;
  asio::async_write(stream_, asio::buffer(kProcessing),
                    [self = this->shared_from_this(), promise = Waiter::Promise(informed_)](
                        const error_code&, std::size_t) mutable {
                      promise.kept();
                      self->informing_ = false;
                      self->informed_.wake();
                    });
}

template <class Stream>
void ServerConnection<Stream>::on_unawaited_read() {
  if (phase_ == Phase::lingering || phase_ == Phase::closed) return;
  if (!inbox_.ended()) {
    inbox_.start(this->shared_from_this());  // the next request; go on watching
  } else if (phase_ == Phase::working) {
    gone_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
  }
}

// --- the answer
// -------------------------------------------------------------------------------------------------

template <class Stream>
Task<bool> ServerConnection<Stream>::answer(const Response& response) {
  Persistence persistence = Persistence::close;
  if (keep_) persistence = frame_.http11 ? Persistence::unsaid : Persistence::keep;
  write_answer_head(response, persistence, worker_->date(), head_text_);
  const bool bodiless = frame_.head.method == "HEAD" || response.status == 204 || response.status == 304;
  outbox_.set(head_text_, bodiless ? nullptr : &response.body);
  return write();
}

// The outbox. False if the client no longer takes it.
template <class Stream>
Task<bool> ServerConnection<Stream>::write() {
  phase_ = Phase::writing;
  Clock::Steady now = steady_now();
  set_deadline(now + limits().write_timeout);
  if (informing_) {
    const bool woken = co_await informed_.wait();
    if (!woken) co_return false;
  }
  for (;;) {
    error_code error;
    const std::size_t n =
        co_await stream_.async_write_some(outbox_.rest(), asio::redirect_error(kAwait, error));
    if (error) co_return false;
    outbox_.consume(n);
    if (outbox_.empty()) co_return true;
    now = steady_now();
    set_deadline(now + limits().write_timeout);
  }
}

template <class Stream>
Task<void> ServerConnection<Stream>::linger() {
  phase_ = Phase::lingering;
  const Clock::Steady end = steady_now() + kLingerTotal;
  set_deadline(steady_now() + kLingerIdle);
  error_code error;
  if constexpr (kIsTls<Stream>) {
    co_await stream_.async_shutdown(asio::redirect_error(kAwait, error));
  }
  Socket& socket = socket_of(stream_);
  socket.shutdown(Socket::shutdown_send, error);
  // Only one read may be pending: Asio tells one of two about the end.
  if (inbox_.reading()) {
    const bool woken = co_await inbox_.wait();
    if (!woken) co_return;
  }
  std::array<char, 4096> discarded;
  for (error = inbox_.error(); !error;) {
    set_deadline(std::min(end, steady_now() + kLingerIdle));
    co_await socket.async_read_some(asio::buffer(discarded), asio::redirect_error(kAwait, error));
  }
}

// --- the end
// ----------------------------------------------------------------------------------------------------

template <class Stream>
void ServerConnection<Stream>::set_deadline(Clock::Steady deadline) {
  deadline_ = deadline;
  watchdog_.set(std::min(deadline_, inform_at_), *this);
}

template <class Stream>
void ServerConnection<Stream>::on_deadline() {
  if (phase_ == Phase::closed) return;
  const Clock::Steady now = steady_now();
  if (now >= inform_at_) {
    inform_at_ = now + inform_every_;
    inform();
  }
  if (now < deadline_) return set_deadline(deadline_);
  error_code ignored;
  if (phase_ == Phase::head || phase_ == Phase::body) {
    timed_out_ = true;
    socket_of(stream_).cancel(ignored);  // the answer can still be written
    set_deadline(Clock::Steady::max());
  } else {
    gone_ = true;
    socket_of(stream_).close(ignored);
  }
}

template <class Stream>
void ServerConnection<Stream>::begin_drain() {
  error_code ignored;
  if (phase_ == Phase::idle || phase_ == Phase::handshake) socket_of(stream_).close(ignored);
}

template <class Stream>
void ServerConnection<Stream>::abort() {
  error_code ignored;
  gone_ = true;
  socket_of(stream_).close(ignored);
  cancel_.emit(asio::cancellation_type::terminal);
}

template <class Stream>
void ServerConnection<Stream>::close() {
  phase_ = Phase::closed;
  watchdog_.stop();
  error_code ignored;
  socket_of(stream_).close(ignored);
  worker_->remove(this);
}

template class ServerConnection<Socket>;
template class ServerConnection<TlsStream>;

}  // namespace embedrouter::net
