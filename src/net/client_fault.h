#pragma once
#include <embedrouter/error.h>

#include <string>
#include <string_view>

namespace embedrouter::net {

// The failures that every part of the client words alike.

inline Error unreachable(std::string message, std::string detail) {
  return Error(ErrorCode::upstream_unreachable, std::move(message)).with_detail(std::move(detail));
}

// `own`: the deadline that ran out was the request's, and not this step's.
inline Error took_too_long(std::string_view waited_for, bool own) {
  return Error(ErrorCode::upstream_timeout, "waiting for " + std::string(waited_for) + " took too long")
      .with_detail(own ? "the request's own deadline" : "the deadline for this step");
}

inline Error caller_left() {
  return {ErrorCode::client_closed, "the caller left"};
}

inline Error closed_by_upstream(bool heard, std::string detail) {
  return unreachable(heard ? "the upstream closed the connection in the middle of its answer"
                           : "the upstream closed the connection before it answered",
                     std::move(detail));
}

inline Error invalid_answer(std::string message, std::string detail = {}) {
  return Error(ErrorCode::upstream_invalid_answer, std::move(message)).with_detail(std::move(detail));
}

}  // namespace embedrouter::net
