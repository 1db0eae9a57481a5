#include "net/dial.h"

#include <openssl/x509_vfy.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>

#include "base/buffer.h"
#include "net/client_fault.h"
#include "net/connect.h"
#include "net/head.h"
#include "net/tls.h"
#include "net/watchdog.h"

namespace embedrouter::net {
namespace {

constexpr std::size_t kProxyHead = 16 * 1024;

// The steps of one opening. Its stream is closed when a step's time is over.
template <class Stream>
class Dial final : public std::enable_shared_from_this<Dial<Stream>> {
 public:
  Dial(std::shared_ptr<Origin> origin, Clock::Steady total)
      : origin_(std::move(origin)), watchdog_(origin_->io.get_executor()) {
    const Clock::Steady step = steady_now() + origin_->deadlines.connect;
    end_ = std::min(step, total);
    own_ = total <= step;
  }

  Task<std::optional<Error>> connect();
  Task<std::optional<Error>> pass_proxy();
  Task<std::optional<Error>> shake_hands();
  Link<Stream> take() {
    watchdog_.stop();
    return std::move(link_);
  }
  void on_deadline() {
    timed_out_ = true;
    error_code ignored;
    socket_of(*link_.stream).close(ignored);
  }

 private:
  std::optional<Error> stopped(const error_code& error, std::string_view waited_for) const {
    if (timed_out_) return took_too_long(waited_for, own_);
    if (error == asio::error::operation_aborted) return caller_left();
    return std::nullopt;
  }
  static std::optional<Error> stopped(Woken woken, bool own, std::string_view waited_for) {
    if (woken == Woken::late) return took_too_long(waited_for, own);
    if (woken == Woken::cancelled) return caller_left();
    return std::nullopt;
  }
  std::string where() const {
    if (!origin_->proxy) return origin_->url.authority();
    return "the proxy " + origin_->proxy->host + ":" + std::to_string(origin_->proxy->port);
  }
  Task<Result<ResponseFrame>> ask_proxy(std::string request);

  std::shared_ptr<Origin> origin_;
  Watchdog<Dial> watchdog_;
  Clock::Steady end_;
  bool own_;  // the deadline is the request's
  bool timed_out_ = false;
  Link<Stream> link_;
};

template <class Stream>
Task<std::optional<Error>> Dial<Stream>::connect() {
  const Addresses::Found found = co_await origin_->addresses.find(end_);
  if (auto failure = stopped(found.woken, own_, "the upstream's address")) co_return failure;
  if (found.failure) co_return found.failure;
  Connected connected = co_await connect_first(origin_->io, found.addresses, end_);
  for (const Tcp::endpoint& address : connected.failed) origin_->addresses.failed(address);
  if (auto failure = stopped(connected.woken, own_, "a connection to the upstream")) co_return failure;
  if (!connected.socket) {
    co_return unreachable(
        origin_->proxy ? "the proxy to the upstream cannot be reached" : "the upstream cannot be reached",
        "connecting to " + where() + ": " + connected.error.message());
  }
  link_.peer = connected.peer;
  if constexpr (kIsTls<Stream>) {
    link_.stream = std::make_unique<Stream>(*std::move(connected.socket), *origin_->tls);
  } else {
    link_.stream = std::make_unique<Stream>(*std::move(connected.socket));
  }
  watchdog_.set(end_, *this);
  co_return std::nullopt;
}

// A tunnel to the origin (RFC 9110 section 9.3.6). Plain HTTP needs none: the proxy reads the requests.
template <class Stream>
Task<std::optional<Error>> Dial<Stream>::pass_proxy() {
  const Url& url = origin_->url;
  std::string authority = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  authority += ":" + std::to_string(url.port);
  std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!origin_->proxy->authorization.empty()) {
    request += "Proxy-Authorization: " + origin_->proxy->authorization + "\r\n";
  }
  request += "\r\n";
  auto answer = co_await ask_proxy(std::move(request));
  if (!answer) co_return std::move(answer).error();
  if (answer->status / 100 != 2) {
    co_return unreachable(
        "the proxy refused a tunnel to the upstream; its operator must mend that",
        where() + " answered " + std::to_string(answer->status) + " to CONNECT " + authority);
  }
  co_return std::nullopt;
}

template <class Stream>
Task<Result<ResponseFrame>> Dial<Stream>::ask_proxy(std::string request) {
  Socket& socket = socket_of(*link_.stream);
  error_code error;
  co_await asio::async_write(socket, asio::buffer(request), asio::redirect_error(kAwait, error));
  Buffer head(kProxyHead);
  HeadScanner scanner;
  HeadScanner::State state = HeadScanner::State::incomplete;
  while (!error && state == HeadScanner::State::incomplete && head.size() < kProxyHead) {
    const auto room = asio::buffer(head.data() + head.size(), kProxyHead - head.size());
    const std::size_t n = co_await socket.async_read_some(room, asio::redirect_error(kAwait, error));
    head.grow_by(n);
    state = scanner.scan(head.view());
  }
  if (auto failure = stopped(error, "the proxy to the upstream")) co_return fail(std::move(*failure));
  ResponseFrame frame;
  // The upstream speaks second in TLS: bytes behind the head are not its.
  if (error || state != HeadScanner::State::complete ||
      (scanner.length() != head.size() && head.view().starts_with("HTTP/1.1 2")) ||
      parse_response_head(head.view().substr(0, scanner.length()), true, frame)) {
    co_return fail(unreachable("the proxy to the upstream gave no valid answer",
                               where() + ": " + (error ? error.message() : "not an HTTP/1.1 answer")));
  }
  co_return frame;
}

template <class Stream>
Task<std::optional<Error>> Dial<Stream>::shake_hands() {
  if constexpr (kIsTls<Stream>) {
    SSL* ssl = link_.stream->native_handle();
    if (!expect_identity(ssl, origin_->url.host)) {
      co_return Error(ErrorCode::upstream_untrusted,
                      "the upstream's host name is none a certificate can hold")
          .with_detail("TLS with " + origin_->url.authority());
    }
    offer_protocols(ssl, origin_->http2);
    const bool resuming = origin_->session.offer_to(ssl);
    error_code error;
    co_await link_.stream->async_handshake(asio::ssl::stream_base::client,
                                           asio::redirect_error(kAwait, error));
    if (error) {
      // What an upstream cannot resume it may choke on: the next handshake is a whole one.
      if (resuming) origin_->session.forget();
      if (auto failure = stopped(error, "a secure connection to the upstream")) co_return failure;
      const std::string at = "TLS with " + origin_->url.authority() + ": ";
      const long verified = SSL_get_verify_result(ssl);
      if (verified != X509_V_OK) {
        const std::string why = X509_verify_cert_error_string(verified);
        co_return Error(ErrorCode::upstream_untrusted, "the upstream's certificate cannot be trusted (" +
                                                           why + "); its operator must mend that")
            .with_detail(at + why);
      }
      if (refuses_our_identity(error)) co_return client_certificate_refused(at + error.message());
      co_return unreachable("no secure connection to the upstream", at + error.message());
    }
    link_.http2 = chose_http2(ssl);
  }
  co_return std::nullopt;
}

template <class Stream>
Task<Result<Link<Stream>>> open(std::shared_ptr<Origin> origin, Clock::Steady total) {
  const auto opening = std::make_shared<Dial<Stream>>(origin, total);
  auto failure = co_await opening->connect();
  if (!failure && kIsTls<Stream> && origin->proxy) failure = co_await opening->pass_proxy();
  if (!failure) failure = co_await opening->shake_hands();
  if (failure) co_return fail(std::move(*failure));
  co_return opening->take();
}

}  // namespace

template <class Stream>
Task<Result<Link<Stream>>> dial(std::shared_ptr<Origin> origin, Clock::Steady total) {
  const bool resumes = origin->session.known();
  auto link = co_await open<Stream>(origin, total);
  const bool choked = !link && resumes && !origin->session.known();
  if (choked && link.error().code() == ErrorCode::upstream_unreachable) {
    link = co_await open<Stream>(origin, total);
  }
  co_return link;
}

template Task<Result<Link<Socket>>> dial<Socket>(std::shared_ptr<Origin>, Clock::Steady);
template Task<Result<Link<TlsStream>>> dial<TlsStream>(std::shared_ptr<Origin>, Clock::Steady);

}  // namespace embedrouter::net
