#include "net/request_text.h"

#include <algorithm>

#include "net/field_text.h"

namespace embedrouter::net {

std::optional<Error> unfit_to_send(const ClientRequest& request) {
  const auto unfit = [](std::string_view text) {
    return text.empty() ||
           std::ranges::any_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7F; });
  };
  if (unfit(request.method) || unfit(request.target)) {
    return Error(ErrorCode::internal,
                 "the path of the upstream request is empty or holds blanks or control characters");
  }
  for (const OwnedHeader& header : request.headers) {
    if (unfit(header.name) || has_line_break(header.value)) {
      return Error(ErrorCode::internal,
                   "a header of the upstream request holds a line break or has no valid name");
    }
  }
  return std::nullopt;
}

}  // namespace embedrouter::net
