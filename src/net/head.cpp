#include "net/head.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <cstring>
#include <string>

#include "net/field_text.h"

namespace embedrouter::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

// A head of more fields is an attack on whoever looks one up.
constexpr std::size_t kMaxFields = 256;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// The fields that decide where a message ends. Each may occur once, in one form.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  const char* fault = nullptr;  // what is wrong, in words for the sender
  bool unknown_coding = false;

  void content_length_is(std::string_view value) {
    std::uint64_t length = 0;
    const char* end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, length);
    if (value.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
      fault = "Content-Length must be one decimal number";
    } else if (content_length) {
      fault = "Content-Length is given twice";
    }
    content_length = length;
  }
  void transfer_encoding_is(std::string_view value) {
    if (chunked) fault = "Transfer-Encoding is given twice";
    if (!same_ignoring_case(value, "chunked")) unknown_coding = true;
    chunked = true;
  }
  void finish(bool http11) {
    if (fault) return;
    if (content_length && chunked) fault = "Content-Length and Transfer-Encoding exclude each other";
    if (chunked && !http11) fault = "HTTP/1.0 has no Transfer-Encoding";
  }
};

// Collects what Beast's parser reports. Beast checks the grammar; Framing is stricter than Beast about
// lengths.
template <bool kRequest>
class Parser final : public http::basic_parser<kRequest> {
 public:
  explicit Parser(Headers& headers) : headers_(headers) {}

  std::string_view method, target;
  std::string_view host;
  std::string_view expect;
  std::string_view content_encoding;
  int hosts = 0;
  int status = 0;
  int version = 11;
  bool too_many_fields = false;
  bool several_codings = false;
  Framing framing;

 private:
  void on_request_impl(http::verb, boost::beast::string_view method_text,
                       boost::beast::string_view target_text, int version_number, error_code&) override {
    method = view(method_text);
    target = view(target_text);
    version = version_number;
  }
  void on_response_impl(int code, boost::beast::string_view, int version_number, error_code&) override {
    status = code;
    version = version_number;
  }
  void on_field_impl(http::field field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& error) override {
    if (headers_.all().size() == kMaxFields) {
      too_many_fields = true;
      error = http::error::header_limit;
      return;
    }
    headers_.add(view(name), view(value));
    switch (field) {
      case http::field::content_length:
        framing.content_length_is(view(value));
        break;
      case http::field::transfer_encoding:
        framing.transfer_encoding_is(view(value));
        break;
      case http::field::content_encoding:
        several_codings = several_codings || !content_encoding.empty();
        content_encoding = view(value);
        break;
      case http::field::expect:
        expect = view(value);
        break;
      case http::field::host:
        host = view(value);
        ++hosts;
        break;
      default:
        break;
    }
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(boost::beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  Headers& headers_;
};

template <bool kRequest>
error_code parse(std::string_view head, Parser<kRequest>& parser) {
  parser.header_limit(static_cast<std::uint32_t>(head.size() + 1));  // the caller bounds heads
  parser.body_limit(boost::none);
  error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  return error;
}

Error malformed(std::string what) {
  return {ErrorCode::invalid_request, "the request is not valid HTTP: " + std::move(what)};
}

// A first line that is sound but for the version, which is HTTP's.
bool names_a_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::size_t version = line.rfind(" HTTP/");
  return version != std::string_view::npos && std::ranges::count(line, ' ') == 2 &&
         line.find_first_not_of("0123456789.", version + 6) == std::string_view::npos;
}

Error in_words(const error_code& error, const Framing& framing, std::string_view head) {
  if (framing.fault) return malformed(framing.fault);
  if (error == http::error::bad_version && names_a_version(head)) {
    return {ErrorCode::not_implemented, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  return malformed(error == http::error::need_more ? "the head ends too early" : error.message());
}

// host [":" port] (RFC 9112, 3.2), or nothing. Of an IP literal only the characters are checked.
bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view literal = text.substr(1, close - 1);
    if (literal.empty() || literal.find_first_not_of("0123456789abcdefABCDEFv:.") != std::string_view::npos)
      return false;
    text.remove_prefix(close + 1);
    if (!text.empty() && text.front() != ':') return false;
  }
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto in_names = [](char c) {
    return (is_token(c) && c != '#' && c != '^' && c != '`' && c != '|') ||
           std::string_view("(),;=").find(c) != std::string_view::npos;
  };
  return std::ranges::all_of(host, in_names) &&
         port.find_first_not_of("0123456789") == std::string_view::npos;
}

// "http://host/path?query" and "/path?query" name the same thing; the host in the target, if there, is the
// one that counts (RFC 9112, 3.2.2).
bool split_target(std::string_view target, RequestHead& head) {
  if (target.front() != '/' && target != "*") {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos || (!same_ignoring_case(target.substr(0, scheme), "http") &&
                                             !same_ignoring_case(target.substr(0, scheme), "https"))) {
      return false;
    }
    const std::size_t authority = scheme + 3;
    const std::size_t path = std::min(target.find_first_of("/?", authority), target.size());
    if (path == authority) return false;  // no host
    const std::string_view host = target.substr(authority, path - authority);
    if (!is_authority(host)) return false;
    head.headers.set("Host", host);
    target.remove_prefix(path);
  }
  const std::size_t query = target.find('?');
  head.path = target.substr(0, query);
  head.query = query == std::string_view::npos ? std::string_view() : target.substr(query + 1);
  if (head.path.empty()) head.path = "/";
  return true;
}

std::optional<Error> check_request(const Parser<true>& parser) {
  const Framing& framing = parser.framing;
  if (framing.fault) return malformed(framing.fault);
  if (framing.unknown_coding) {
    return Error(ErrorCode::not_implemented, "the only transfer coding spoken here is \"chunked\"");
  }
  if (parser.hosts > 1) return malformed("Host is given twice");
  if (parser.version == 11 && parser.hosts == 0) return malformed("HTTP/1.1 needs a Host header");
  if (!is_authority(parser.host)) return malformed("Host must be a name or an address, and a port");
  if (parser.version == 11 && !parser.expect.empty() && !same_ignoring_case(parser.expect, "100-continue")) {
    return Error(ErrorCode::expectation_failed, "the only expectation honoured is \"Expect: 100-continue\"");
  }
  return std::nullopt;
}

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view bytes) noexcept {
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (!found) {
      scanned_ = bytes.size();
      break;
    }
    const auto feed = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    scanned_ = feed + 1;
    if (feed == line_start_ || bytes[feed - 1] != '\r') return State::malformed;  // a bare line feed
    const bool empty = feed - 1 == line_start_;
    const char start = bytes[line_start_];
    // A line that begins with a blank once continued the one before; proxies disagree about it.
    if (!first_line_ && (start == ' ' || start == '\t')) return State::malformed;
    if (first_line_ && empty) return State::malformed;
    first_line_ = false;
    line_start_ = scanned_;
    if (empty) return State::complete;
  }
  return State::incomplete;
}

std::optional<Error> parse_request_head(std::string_view head, RequestFrame& frame) {
  frame.head.headers.clear();
  Parser<true> parser(frame.head.headers);
  const error_code error = parse(head, parser);
  if (parser.too_many_fields) {
    return Error(ErrorCode::headers_too_large,
                 "more than " + std::to_string(kMaxFields) + " header fields: send fewer");
  }
  parser.framing.finish(parser.version == 11);
  if (error) return in_words(error, parser.framing, head);
  if (auto fault = check_request(parser)) return fault;
  frame.head.method = parser.method;
  if (!split_target(parser.target, frame.head)) {
    return malformed("the target must be a path that begins with \"/\", or an absolute http URL");
  }
  frame.head.content_length = parser.framing.content_length;
  frame.head.chunked = parser.framing.chunked;
  frame.head.coding = parse_content_coding(parser.content_encoding);
  if (parser.several_codings) frame.head.coding.reset();
  frame.http11 = parser.version == 11;
  frame.keep_alive = parser.keep_alive();
  frame.expects_continue = frame.http11 && !parser.expect.empty();
  return std::nullopt;
}

std::optional<Error> parse_response_head(std::string_view head, bool to_head, ResponseFrame& frame) {
  frame.headers.clear();
  Parser<false> parser(frame.headers);
  parser.skip(to_head);
  const error_code error = parse(head, parser);
  parser.framing.finish(parser.version == 11);
  const auto invalid = [](std::string why) {
    return Error(ErrorCode::upstream_invalid_answer, "the upstream's answer is not valid HTTP")
        .with_detail(std::move(why));
  };
  if (parser.framing.fault) return invalid(parser.framing.fault);
  if (parser.framing.unknown_coding) return invalid("unknown Transfer-Encoding");
  if (error) return invalid(error.message());
  if (parser.status < 100) return invalid("a status below 100");
  const auto coding = parse_content_coding(parser.content_encoding);
  if (!coding || parser.several_codings) {
    return Error(ErrorCode::upstream_invalid_answer,
                 "the upstream's answer has a content coding that is not spoken here");
  }
  frame.coding = *coding;
  frame.status = parser.status;
  frame.content_length = parser.framing.content_length;
  frame.chunked = parser.framing.chunked;
  frame.has_body = !to_head && parser.status >= 200 && parser.status != 204 && parser.status != 304 &&
                   (!frame.content_length || *frame.content_length > 0);
  frame.keep_alive = parser.keep_alive();
  return std::nullopt;
}

}  // namespace embedrouter::net
