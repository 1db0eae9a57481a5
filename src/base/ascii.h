#pragma once
#include <algorithm>
#include <string_view>

namespace embedrouter {

// ASCII alone: names of headers, schemes, providers and models are no words of a language.
constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, ascii_lower, ascii_lower);
}

inline bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return part.empty() || !std::ranges::search(text, part, {}, ascii_lower, ascii_lower).empty();
}

}  // namespace embedrouter
