#include "net/client_connection.h"

#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>

#include "net/chunked.h"
#include "net/field_text.h"

namespace embedrouter::net {
namespace {

constexpr std::size_t kInboxRoom = 16 * 1024;

template <class Stream>
Stream make_stream(Origin& origin) {
  if constexpr (kIsTls<Stream>) {
    return Stream(Socket(origin.io.get_executor()), *origin.tls);
  } else {
    return Stream(origin.io.get_executor());
  }
}

Error unreachable(std::string message, std::string detail) {
  return Error(ErrorCode::upstream_unreachable, std::move(message)).with_detail(std::move(detail));
}

bool needs_length(const ClientRequest& request) {
  return !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
}

}  // namespace

template <class Stream>
ClientConnection<Stream>::ClientConnection(std::shared_ptr<Origin> origin)
    : origin_(std::move(origin)),
      stream_(make_stream<Stream>(*origin_)),
      inbox_(stream_, kInboxRoom),
      watchdog_(origin_->io.get_executor()) {}

// --- opening
// ----------------------------------------------------------------------------------------------------

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::open(Clock::Steady total) {
  total_ = total;
  const Clock::Steady end = std::min(total, steady_now() + origin_->deadlines.connect);
  expect(Wait::resolve, origin_->deadlines.connect);
  std::vector<Tcp::endpoint> addresses;
  auto failure = co_await resolve(addresses);
  if (failure) co_return failure;
  failure = co_await connect(addresses, end);
  if (failure) co_return failure;
  if constexpr (kIsTls<Stream>) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_now());
    expect(Wait::handshake, left);
    failure = co_await shake_hands();
  }
  watchdog_.clear();
  co_return failure;
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::resolve(std::vector<Tcp::endpoint>& addresses) {
  error_code error;
  const auto literal = asio::ip::make_address(origin_->url.host, error);
  if (!error) {
    addresses.emplace_back(literal, origin_->url.port);
    co_return std::nullopt;
  }
  resolver_.emplace(origin_->io.get_executor());
  error = {};
  const std::string port = std::to_string(origin_->url.port);
  const auto found = co_await resolver_->async_resolve(origin_->url.host, port, Resolver::numeric_service,
                                                       asio::redirect_error(kAwait, error));
  resolver_.reset();
  if (error) {
    if (timed_out_ || error == asio::error::operation_aborted) co_return fault(error);
    co_return unreachable("the upstream's name cannot be resolved",
                          "resolving " + origin_->url.host + ": " + error.message());
  }
  for (const auto& entry : found) addresses.push_back(entry.endpoint());
  co_return std::nullopt;
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::connect(const std::vector<Tcp::endpoint>& addresses,
                                                             Clock::Steady end) {
  Socket& socket = socket_of(stream_);
  error_code error = asio::error::host_not_found;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // A share each: one that does not answer must not use up the time of the next.
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_now());
    timed_out_ = false;
    expect(Wait::connect, left / static_cast<int>(addresses.size() - i));
    error_code ignored;
    socket.close(ignored);
    error = {};
    co_await socket.async_connect(addresses[i], asio::redirect_error(kAwait, error));
    if (!error) {
      socket.set_option(Tcp::no_delay(true), ignored);
      co_return std::nullopt;
    }
    if (error == asio::error::operation_aborted && !timed_out_) break;  // cancelled
    if (total_is_near_ && timed_out_) break;
  }
  if (timed_out_ || error == asio::error::operation_aborted) co_return fault(error);
  co_return unreachable("the upstream cannot be reached",
                        "connecting to " + origin_->url.authority() + ": " + error.message());
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::shake_hands() {
  if constexpr (kIsTls<Stream>) {
    SSL* ssl = stream_.native_handle();
    const std::string& host = origin_->url.host;
    error_code not_numeric;
    asio::ip::make_address(host, not_numeric);
    if (not_numeric) {
      SSL_set_tlsext_host_name(ssl, host.c_str());
      SSL_set1_host(ssl, host.c_str());
    } else {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    }
    origin_->session.offer_to(ssl);
    error_code error;
    co_await stream_.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(kAwait, error));
    if (error) {
      if (timed_out_ || error == asio::error::operation_aborted) co_return fault(error);
      const long verified = SSL_get_verify_result(ssl);
      std::string why = error.message();
      if (verified != X509_V_OK) why = X509_verify_cert_error_string(verified);
      co_return unreachable("no secure connection to the upstream",
                            "TLS with " + origin_->url.authority() + ": " + why);
    }
  }
  co_return std::nullopt;
}

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

  auto body = std::make_shared<Buffer>();
  const std::uint64_t size = frame.content_length.value_or(0);
  if (frame.has_body && size > origin_->limits.body_bytes) co_return fail(too_large());
  if (frame.has_body && frame.chunked) {
    failure = co_await read_chunked(*body);
  } else if (frame.has_body && frame.content_length) {
    failure = co_await read_sized(size, *body);
  } else if (frame.has_body) {
    failure = co_await read_to_end(*body);
  }
  if (failure) co_return fail(std::move(*failure));
  watchdog_.clear();
  reusable_ = frame.keep_alive && !answered_early_;
  response.status = frame.status;
  response.headers = std::move(frame.headers);
  response.body = std::move(body);
  co_return response;
}

template <class Stream>
std::optional<Error> ClientConnection<Stream>::compose(const ClientRequest& request) {
  const auto unfit = [](std::string_view text) {
    return text.empty() ||
           std::ranges::any_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7F; });
  };
  if (unfit(request.method) || unfit(request.target)) {
    return Error(ErrorCode::internal,
                 "the path of the upstream request is empty or holds blanks or control characters");
  }
  head_text_.assign(request.method);
  head_text_ += ' ';
  head_text_ += request.target;
  head_text_ += " HTTP/1.1\r\n";
  head_text_ += origin_->fixed_head;
  for (const OwnedHeader& header : request.headers) {
    if (unfit(header.name) || has_line_break(header.value)) {
      return Error(ErrorCode::internal,
                   "a header of the upstream request holds a line break or has no valid name");
    }
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
        co_await stream_.async_write_some(outbox_.rest(), asio::redirect_error(kAwait, error));
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
      interim += size;
      scanner = {};
      continue;
    }
    if (inbox_.room() == 0) inbox_.grow(inbox_.capacity() * 2);
    const bool arrived = co_await more();
    if (!arrived) co_return fault(inbox_.error());
    if (!heard_) expect(Wait::body, origin_->deadlines.idle);
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
    const std::size_t n = co_await stream_.async_read_some(rest, asio::redirect_error(kAwait, error));
    body.grow_by(n);
    if (error) co_return fault(error);
  }
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::read_chunked(Buffer& body) {
  ChunkedDecoder chunks;
  for (;;) {
    const std::span<char> arrived = inbox_.unread_bytes();
    const ChunkedDecoder::Step step = chunks.decode(arrived);
    if (body.size() + step.payload > origin_->limits.body_bytes) co_return too_large();
    body.append(std::string_view(arrived.data(), step.payload));
    inbox_.consume(step.consumed);
    if (chunks.state() == ChunkedDecoder::State::done) co_return std::nullopt;
    if (chunks.state() == ChunkedDecoder::State::malformed) {
      co_return Error(ErrorCode::upstream_invalid_answer, "the upstream's answer is not valid HTTP")
          .with_detail("its chunked body is malformed");
    }
    expect(Wait::body, origin_->deadlines.idle);
    const bool arrived_more = co_await more();
    if (!arrived_more) co_return fault(inbox_.error());
  }
}

template <class Stream>
Task<std::optional<Error>> ClientConnection<Stream>::read_to_end(Buffer& body) {
  for (;;) {
    const std::string_view arrived = inbox_.unread();
    if (body.size() + arrived.size() > origin_->limits.body_bytes) co_return too_large();
    body.append(arrived);
    inbox_.consume(arrived.size());
    expect(Wait::body, origin_->deadlines.idle);
    const bool arrived_more = co_await more();
    if (arrived_more) continue;
    // Over TLS only a proper close_notify gets here: a cut connection ends with another error.
    if (inbox_.error() == asio::error::eof && !timed_out_) co_return std::nullopt;
    co_return fault(inbox_.error());
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
  if (resolver_) resolver_->cancel();
  error_code ignored;
  socket_of(stream_).close(ignored);
}

template <class Stream>
void ClientConnection<Stream>::on_unawaited_read() {
  if (pool_) {  // closed by the other side, or it speaks out of turn
    pool_->forget(*this);
    close();
  } else if (writing_ && answer_begun()) {
    answered_early_ = true;
    error_code ignored;
    socket_of(stream_).cancel(ignored);
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
Error ClientConnection<Stream>::too_large() const {
  return Error(ErrorCode::upstream_invalid_answer, "the upstream's answer is too large")
      .with_detail("more than " + std::to_string(origin_->limits.body_bytes) + " bytes");
}

template <class Stream>
Error ClientConnection<Stream>::fault(const error_code& error) {
  static constexpr std::string_view kWaits[] = {"the upstream's address",
                                                "a connection to the upstream",
                                                "a secure connection to the upstream",
                                                "the upstream to take the request",
                                                "the upstream's answer",
                                                "the rest of the upstream's answer"};
  const std::string waited_for(kWaits[static_cast<std::size_t>(wait_)]);
  if (timed_out_) {
    return Error(ErrorCode::upstream_timeout, "waiting for " + waited_for + " took too long")
        .with_detail(total_is_near_ ? "the request's own deadline" : "the deadline for this step");
  }
  if (error == asio::error::operation_aborted) return {ErrorCode::client_closed, "the caller left"};
  lost_ = true;
  return unreachable(heard_ ? "the upstream closed the connection in the middle of its answer"
                            : "the upstream closed the connection before it answered",
                     "waiting for " + waited_for + ": " + error.message());
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
  // Bytes that wait unread belong to no request, or say that the other side has closed. The pending read has
  // not seen them yet, and they must not be taken for the next answer.
  char byte = 0;
  const auto waiting = ::recv(socket_of(stream_).native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return waiting < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && reusable();
}

template <class Stream>
void ClientConnection<Stream>::close() {
  pool_ = nullptr;
  watchdog_.stop();
  error_code ignored;
  socket_of(stream_).close(ignored);
}

template class ClientConnection<Socket>;
template class ClientConnection<TlsStream>;

}  // namespace embedrouter::net
