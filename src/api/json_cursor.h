#pragma once
// A strict reader of JSON text (RFC 8259), forward only, that copies nothing. Everything it has passed is
// valid: grammar, UTF-8, escapes and surrogate pairs, at most kMaxDepth levels. The first fault stops it:
// every later call says false.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/json_number.h"

namespace embedrouter::api {

// A string as it stands between its quotes.
struct JsonString {
  std::string_view raw;
  bool escaped = false;
};

// Writes what `raw` (valid, between its quotes) means to `out`, which may be where it stands: it never gets
// longer. Returns the length.
std::size_t unescape(std::string_view raw, char* out) noexcept;
// The same into `storage`, but only if there is something to unescape.
std::string_view text_of(const JsonString& string, std::string& storage);

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null, nothing };
// For messages: "an object", "a string", …
std::string_view name_of(JsonKind kind) noexcept;

class JsonCursor {
 public:
  static constexpr unsigned kMaxDepth = 64;

  // `text` must outlive the cursor. Bytes it has passed may be changed.
  explicit JsonCursor(std::string_view text) noexcept
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  // What the value ahead is, by its first character, behind any white space.
  JsonKind kind() noexcept;
  // Each reads the value ahead, which must be of the kind it names.
  bool read_string(JsonString& out) noexcept;
  bool read_number(Decimal& out) noexcept;
  bool read_bool(bool& out) noexcept;
  bool read_null() noexcept;
  // Any value; `out`, if given, becomes its text.
  bool skip(std::string_view* out = nullptr) noexcept;
  // An array of what should be numbers: only the end is looked for, at the next bracket. `out` includes the
  // brackets.
  bool skip_flat_array(std::string_view& out) noexcept;
  // A string of what should be base64: only a quote is looked for, first where a string of `length` would
  // end. It was the string's end if `out`, which does not include the quotes, is base64.
  bool skip_flat_string(std::string_view& out, std::size_t length) noexcept;
  // Reads an object or array member by member:  bool first = true; while (next_member(first, key)) …
  // False behind the last one, and on a fault.
  bool enter(char open) noexcept;
  bool next_member(bool& first, JsonString& key) noexcept;
  bool next_element(bool& first) noexcept;
  // Nothing but white space is left.
  bool finish() noexcept;

  bool ok() const noexcept { return fault_ == nullptr; }
  // "unterminated string at byte 17". Only if !ok().
  std::string fault() const;

 private:
  bool fail(const char* fault) noexcept;
  bool expect(char c, const char* fault) noexcept;
  bool word(std::string_view word) noexcept;
  bool read_escape() noexcept;
  void skip_space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* fault_ = nullptr;  // a literal
};

}  // namespace embedrouter::api
