#include "api/json_cursor.h"

#include <simdjson.h>
#include <bit>
#include <cstring>

namespace embedrouter::api {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// High bit set in each byte that is zero; above the lowest such byte some bits may be wrong.
std::uint64_t zero_bytes(std::uint64_t word) noexcept {
  return (word - kOnes) & ~word & kHighs;
}

// The first byte that ends a run of plain string bytes: a quote, a backslash, or a control character. `high`
// collects whether any byte may not be ASCII.
const char* find_special(const char* at, const char* end, std::uint64_t& high) noexcept {
  for (; end - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    high |= word & kHighs;
    const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    const std::uint64_t special =
        control | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'));
    if (special != 0) return at + std::countr_zero(special) / 8;
  }
  for (; at != end; ++at) {
    const auto c = static_cast<unsigned char>(*at);
    high |= c & 0x80U;
    if (c < 0x20 || c == '"' || c == '\\') return at;
  }
  return at;
}

unsigned hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

// Four hex digits; above 0xFFFF if they are not.
unsigned code_unit(const char* digits) noexcept {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned digit = hex_value(digits[i]);
    if (digit > 15) return 0x10000;
    value = value << 4 | digit;
  }
  return value;
}

bool is_high_surrogate(unsigned unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(unsigned unit) noexcept {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

char* put_utf8(unsigned code_point, char* out) noexcept {
  const auto put = [&](unsigned byte) { *out++ = static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
  return out;
}

char short_escape(char letter) noexcept {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;  // quote, backslash, slash
  }
}

}  // namespace

std::size_t unescape(std::string_view raw, char* out) noexcept {
  char* const begin = out;
  while (!raw.empty()) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    std::memmove(out, raw.data(), plain);
    out += plain;
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    if (raw[1] != 'u') {
      *out++ = short_escape(raw[1]);
      raw.remove_prefix(2);
      continue;
    }
    unsigned code_point = code_unit(raw.data() + 2);
    raw.remove_prefix(6);
    if (is_high_surrogate(code_point)) {
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (code_unit(raw.data() + 2) - 0xDC00);
      raw.remove_prefix(6);
    }
    out = put_utf8(code_point, out);
  }
  return static_cast<std::size_t>(out - begin);
}

std::string_view text_of(const JsonString& string, std::string& storage) {
  if (!string.escaped) return string.raw;
  storage.resize(string.raw.size());
  storage.resize(unescape(string.raw, storage.data()));
  return storage;
}

std::string_view name_of(JsonKind kind) noexcept {
  switch (kind) {
    case JsonKind::object:
      return "an object";
    case JsonKind::array:
      return "an array";
    case JsonKind::string:
      return "a string";
    case JsonKind::number:
      return "a number";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::null:
      return "null";
    case JsonKind::nothing:
      break;
  }
  return "nothing";
}

bool JsonCursor::fail(const char* fault) noexcept {
  if (ok()) fault_ = fault;
  return false;
}

std::string JsonCursor::fault() const {
  return fault_ + (" at byte " + std::to_string(at_ - begin_));
}

bool JsonCursor::expect(char c, const char* fault) noexcept {
  skip_space();
  if (!ok() || at_ == end_ || *at_ != c) return fail(fault);
  ++at_;
  return true;
}

JsonKind JsonCursor::kind() noexcept {
  skip_space();
  if (!ok() || at_ == end_) return JsonKind::nothing;
  switch (*at_) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return *at_ == '-' || detail::is_digit(*at_) ? JsonKind::number : JsonKind::nothing;
  }
}

// `at_` is at the backslash.
bool JsonCursor::read_escape() noexcept {
  if (end_ - at_ < 2) return fail("unterminated string");
  if (at_[1] != 'u') {
    if (std::string_view("\"\\/bfnrt").find(at_[1]) == std::string_view::npos)
      return fail("unknown escape in a string");
    at_ += 2;
    return true;
  }
  const auto unit_at = [this](const char* digits) {
    return end_ - digits >= 4 ? code_unit(digits) : 0x10000;
  };
  const unsigned unit = unit_at(at_ + 2);
  if (unit > 0xFFFF) return fail("\\u without four hex digits");
  if (is_low_surrogate(unit)) return fail("lone surrogate in a string");
  if (is_high_surrogate(unit)) {
    const bool pair =
        end_ - at_ >= 12 && at_[6] == '\\' && at_[7] == 'u' && is_low_surrogate(unit_at(at_ + 8));
    if (!pair) return fail("lone surrogate in a string");
    at_ += 6;
  }
  at_ += 6;
  return true;
}

bool JsonCursor::read_string(JsonString& out) noexcept {
  if (!expect('"', "expected a string")) return false;
  const char* const begin = at_;
  std::uint64_t high = 0;
  out.escaped = false;
  for (;;) {
    at_ = find_special(at_, end_, high);
    if (at_ == end_) return fail("unterminated string");
    if (*at_ == '"') break;
    if (*at_ != '\\') return fail("control character in a string (write it as an escape)");
    out.escaped = true;
    if (!read_escape()) return false;
  }
  out.raw = {begin, static_cast<std::size_t>(at_ - begin)};
  if (high != 0 && !simdjson::validate_utf8(out.raw.data(), out.raw.size())) {
    at_ = begin;
    return fail("invalid UTF-8 in the string");
  }
  ++at_;
  return true;
}

bool JsonCursor::read_number(Decimal& out) noexcept {
  skip_space();
  return ok() && (read_decimal(at_, end_, out) || fail("malformed number"));
}

bool JsonCursor::word(std::string_view word) noexcept {
  if (!ok()) return false;
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word))
    return fail("not a JSON value");
  at_ += word.size();
  return true;
}

bool JsonCursor::read_bool(bool& out) noexcept {
  skip_space();
  out = at_ != end_ && *at_ == 't';
  return word(out ? "true" : "false");
}

bool JsonCursor::read_null() noexcept {
  skip_space();
  return word("null");
}

bool JsonCursor::enter(char open) noexcept {
  return expect(open, open == '{' ? "expected an object" : "expected an array");
}

bool JsonCursor::next_member(bool& first, JsonString& key) noexcept {
  skip_space();
  if (!ok()) return false;
  if (at_ != end_ && *at_ == '}') {
    ++at_;
    return false;
  }
  if (!first && !expect(',', "expected ',' or '}'")) return false;
  first = false;
  skip_space();
  if (at_ == end_ || *at_ != '"') return fail("expected a member name in quotes");
  return read_string(key) && expect(':', "expected ':'");
}

bool JsonCursor::next_element(bool& first) noexcept {
  skip_space();
  if (!ok()) return false;
  if (at_ != end_ && *at_ == ']') {
    ++at_;
    return false;
  }
  if (!first && !expect(',', "expected ',' or ']'")) return false;
  first = false;
  return true;
}

bool JsonCursor::finish() noexcept {
  skip_space();
  return ok() && (at_ == end_ || fail("text behind the end of the JSON value"));
}

bool JsonCursor::skip_flat_array(std::string_view& out) noexcept {
  skip_space();
  if (!ok() || at_ == end_) return fail("expected an array");
  const auto* close = static_cast<const char*>(std::memchr(at_, ']', static_cast<std::size_t>(end_ - at_)));
  if (close == nullptr) return fail("unterminated array");
  out = {at_, static_cast<std::size_t>(close + 1 - at_)};
  at_ = close + 1;
  return true;
}

bool JsonCursor::skip_flat_string(std::string_view& out, std::size_t length) noexcept {
  if (!expect('"', "expected a string")) return false;
  const auto left = static_cast<std::size_t>(end_ - at_);
  const auto* close = length < left && at_[length] == '"'
                          ? at_ + length
                          : static_cast<const char*>(std::memchr(at_, '"', left));
  if (close == nullptr) return fail("unterminated string");
  out = {at_, static_cast<std::size_t>(close - at_)};
  at_ = close + 1;
  return true;
}

bool JsonCursor::skip(std::string_view* out) noexcept {
  skip_space();
  const char* const begin = at_;
  // One bit per open level: 1 for an object.
  std::uint64_t objects = 0;
  unsigned depth = 0;
  bool first = false;
  do {
    if (depth != 0) {
      JsonString key;
      const bool more = (objects & 1) != 0 ? next_member(first, key) : next_element(first);
      if (!ok()) return false;
      if (!more) {
        objects >>= 1;
        --depth;
        first = false;
        continue;
      }
    }
    JsonString text;
    Decimal number;
    bool truth = false;
    const JsonKind ahead = kind();
    switch (ahead) {
      case JsonKind::object:
      case JsonKind::array:
        if (depth == kMaxDepth) return fail("nested too deeply");
        ++at_;
        objects = objects << 1 | (ahead == JsonKind::object ? 1U : 0U);
        ++depth;
        first = true;
        break;
      case JsonKind::string:
        read_string(text);
        break;
      case JsonKind::number:
        read_number(number);
        break;
      case JsonKind::boolean:
        read_bool(truth);
        break;
      case JsonKind::null:
        read_null();
        break;
      case JsonKind::nothing:
        fail(at_ == end_ ? "the text ends in the middle" : "not a JSON value");
    }
    if (!ok()) return false;
  } while (depth != 0);
  if (out != nullptr) *out = {begin, static_cast<std::size_t>(at_ - begin)};
  return true;
}

}  // namespace embedrouter::api
