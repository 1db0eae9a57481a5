// What an Http2Connection does for one request: asks, follows the answer, and says what became of it.
#include <charconv>

#include "net/client_fault.h"
#include "net/field_text.h"
#include "net/http2_callbacks.h"
#include "net/http2_connection.h"
#include "net/http2_stream.h"
#include "net/request_text.h"
#include "net/tls.h"

namespace embedrouter::net {
namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // copied, never written to
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// `head`: the stream's, or a copy; the fields become views into it.
Headers headers_of(const Http2Stream& stream, std::string_view head) {
  Headers headers;
  for (const Http2Stream::Field& each : stream.fields) {
    headers.add(head.substr(each.name, each.value - each.name),
                head.substr(each.value, each.end - each.value));
  }
  return headers;
}

}  // namespace

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
  co_return answer;
}

std::optional<Error> Http2Connection::submit(Http2Stream& stream) {
  const ClientRequest& request = stream.request;
  if (auto unfit = unfit_to_send(request)) return unfit;
  if (closed_) {
    stream.closed = true;
    return std::nullopt;
  }
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
    flush();
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
  response.headers = headers_of(stream, head->view());
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
  if (stream.status < 200) {  // an interim answer: the upstream is at work, and may take as long again
    if (stream.sent) stream.expect(Http2Stream::Wait::first_byte, origin_->deadlines.first_byte);
    stream.head.clear();
    stream.fields.clear();
    return;
  }
  stream.expect(Http2Stream::Wait::body, origin_->deadlines.idle);
  if (!stream.body) {
    std::optional<ContentCoding> coding = ContentCoding::identity;
    bool coded = false;
    std::uint64_t length = 0;
    for (const Http2Stream::Field& each : stream.fields) {
      const std::string_view head = stream.head;
      const std::string_view name = head.substr(each.name, each.value - each.name);
      const std::string_view value = head.substr(each.value, each.end - each.value);
      if (name == "content-encoding") {
        if (coded) coding.reset();  // several codings, one on the other
        if (coding) coding = parse_content_coding(value);
        coded = true;
      }
      if (name == "content-length") std::from_chars(value.data(), value.data() + value.size(), length);
    }
    if (!coding) {
      stream.fault = invalid_answer("the upstream's answer has a content coding that is not spoken here");
    }
    BodySink* sink = stream.request.sink;
    if (sink != nullptr && !sink->wants(stream.status, headers_of(stream, stream.head))) sink = nullptr;
    stream.body.emplace(coding.value_or(ContentCoding::identity), origin_->limits.body_bytes, sink);
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

}  // namespace embedrouter::net
