#pragma once
// The members of a JSON object, one call each, appended to a text that ends in '{' or in a member.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_text.h"

namespace embedrouter::api::members {

inline void key(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
}
inline void text(std::string& out, std::string_view name, std::string_view value) {
  key(out, name);
  append_json_string(out, value);
}
// `json`: a number, a flag, null, or an object that is written already.
inline void literal(std::string& out, std::string_view name, std::string_view json) {
  key(out, name);
  out += json;
}
inline void flag(std::string& out, std::string_view name, bool value) {
  literal(out, name, value ? "true" : "false");
}
inline void number(std::string& out, std::string_view name, std::int64_t value) {
  literal(out, name, std::to_string(value));
}
// null for 0, which stands for unknown.
inline void length(std::string& out, std::string_view name, std::uint64_t value) {
  literal(out, name, value == 0 ? "null" : std::to_string(value));
}
inline void nulls(std::string& out, auto... names) {
  (literal(out, names, "null"), ...);
}
// `append(out, value)` writes an element.
inline void array(std::string& out, std::string_view name, const auto& values, const auto& append) {
  key(out, name);
  out += '[';
  for (const auto& value : values) {
    if (out.back() != '[') out += ',';
    append(out, value);
  }
  out += ']';
}
inline void texts(std::string& out, std::string_view name, const auto& values) {
  array(out, name, values, append_json_string);
}

}  // namespace embedrouter::api::members
