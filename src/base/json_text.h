#pragma once
#include <string>
#include <string_view>

namespace embedrouter {

// Appends `text` as a JSON string literal, quotes included. `text` must be UTF-8; bytes that are not become
// U+FFFD, so that what is printed is always valid JSON. The one place that escapes: answers, logs and
// upstream requests use it.
void append_json_string(std::string& out, std::string_view text);

// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

}  // namespace embedrouter
