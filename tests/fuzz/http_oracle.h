#pragma once
// A second reader of HTTP/1 messages, slow and plain, written from RFC 9112 alone. What the router's reader
// takes must mean the same to this one; otherwise a program before or behind the router could see another
// message.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oracle {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline bool is_token(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c != '\0' && std::string("!#$%&'*+-.^_`|~").find(c) != std::string::npos);
}

inline std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct Field {
  std::string name;  // in small letters
  std::string_view value;
};

struct Head {
  std::string_view start_line;
  std::vector<Field> fields;

  std::vector<std::string_view> values(std::string_view name) const {
    std::vector<std::string_view> found;
    for (const Field& field : fields) {
      if (field.name == name) found.push_back(field.value);
    }
    return found;
  }
};

// `head` ends with its empty line. Nothing where any line breaks the grammar.
inline std::optional<Head> read_head(std::string_view head) {
  Head out;
  for (std::size_t line = 0;; ++line) {
    const std::size_t end = head.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = head.substr(0, end);
    head.remove_prefix(end + 2);
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7F) return std::nullopt;
    }
    if (line == 0) {
      out.start_line = text;
    } else if (text.empty()) {
      if (!head.empty()) return std::nullopt;
      return out;
    } else {
      const std::size_t colon = text.find(':');
      if (colon == std::string_view::npos || colon == 0) return std::nullopt;
      if (!std::ranges::all_of(text.substr(0, colon), is_token)) return std::nullopt;
      out.fields.push_back({lower(text.substr(0, colon)), trimmed(text.substr(colon + 1))});
    }
  }
}

// The framing that both sides must see: at most one length of digits, or the one coding, never both.
struct Framing {
  std::optional<std::string_view> length;
  bool chunked = false;
};
inline std::optional<Framing> read_framing(const Head& head) {
  const auto lengths = head.values("content-length");
  const auto codings = head.values("transfer-encoding");
  if (lengths.size() + codings.size() > 1) return std::nullopt;
  Framing out;
  if (!lengths.empty()) {
    if (lengths[0].empty() || lengths[0].find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    out.length = lengths[0];
  }
  if (!codings.empty()) {
    if (lower(codings[0]) != "chunked") return std::nullopt;
    out.chunked = true;
  }
  return out;
}

// The body of a chunked message and what it took, or nothing.
inline std::optional<std::pair<std::string, std::size_t>> read_chunks(std::string_view bytes) {
  const std::size_t whole = bytes.size();
  std::string body;
  const auto line = [&]() -> std::optional<std::string_view> {
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) return std::nullopt;
    return text;
  };
  for (;;) {
    const auto size_line = line();
    if (!size_line) return std::nullopt;
    const std::size_t digits =
        std::min(size_line->find_first_not_of("0123456789abcdefABCDEF"), size_line->size());
    const std::string_view behind = trimmed(size_line->substr(digits));
    if (digits == 0 || digits > 16) return std::nullopt;
    if (digits != size_line->size() && !behind.starts_with(';')) return std::nullopt;
    const std::uint64_t size = std::strtoull(std::string(size_line->substr(0, digits)).c_str(), nullptr, 16);
    if (size == 0) break;
    if (size > bytes.size() || bytes.size() - size < 2 || bytes.substr(size, 2) != "\r\n")
      return std::nullopt;
    body += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  for (;;) {
    const auto trailer = line();
    if (!trailer) return std::nullopt;
    if (trailer->empty()) return std::pair{std::move(body), whole - bytes.size()};
    const std::size_t colon = trailer->find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    if (!std::ranges::all_of(trailer->substr(0, colon), is_token)) return std::nullopt;
  }
}

}  // namespace oracle
