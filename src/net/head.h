#pragma once
// The start of an HTTP/1 message, from bytes to views. Pure: no sockets, no time. Strict, because a head that
// two programs on the path read differently lets one client speak for another.

#include <embedrouter/error.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/message.h"

namespace embedrouter::net {

// Looks for the end of a head in bytes that arrive piece by piece; each byte is looked at once. Lines must
// end in CRLF.
class HeadScanner {
 public:
  enum class State : std::uint8_t { incomplete, complete, malformed };

  // `bytes`: the message from its first byte, never shorter than before, at the same or another address.
  State scan(std::string_view bytes) noexcept;
  // Bytes of the head, its empty line included. After `complete`.
  std::size_t length() const noexcept { return line_start_; }

 private:
  std::size_t scanned_ = 0;
  std::size_t line_start_ = 0;
  bool first_line_ = true;
};

// A request's head and what it says about framing.
struct RequestFrame {
  RequestHead head;
  bool http11 = false;
  bool keep_alive = false;        // after the answer
  bool expects_continue = false;  // waits for 100 before it sends the body
};

// Views in `frame` point into `head`, which ends with its empty line. The failure is what to answer:
// invalid_request, not_implemented, expectation_failed, headers_too_large. `frame` is reused: its vectors
// keep their room.
std::optional<Error> parse_request_head(std::string_view head, RequestFrame& frame);

struct ResponseFrame {
  int status = 0;
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  ContentCoding coding = ContentCoding::identity;
  bool has_body = false;  // neither length nor chunks, but a body: it ends with the connection
  bool keep_alive = false;
};

// As above; `to_head`: the request was HEAD, so there is no body whatever the head says. Fails with
// upstream_invalid_answer, its detail saying why.
std::optional<Error> parse_response_head(std::string_view head, bool to_head, ResponseFrame& frame);

}  // namespace embedrouter::net
