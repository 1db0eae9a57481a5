#pragma once
#include <string_view>

#include "base/ascii.h"

namespace embedrouter::net {

// Names of fields and codings are compared without regard to the case of ASCII letters.
using embedrouter::ascii_lower;
using embedrouter::same_ignoring_case;

// What names of fields are made of (RFC 9110, 5.6.2).
inline bool is_token(char c) noexcept {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// A value with any of these would start another header, or end the head.
inline bool has_line_break(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace embedrouter::net
