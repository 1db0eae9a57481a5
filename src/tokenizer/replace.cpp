#include "tokenizer/replace.h"

#include "tokenizer/json_fields.h"
#include "tokenizer/unicode.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace embedrouter::tokenizer {
namespace {

constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kSpecial = "\\[](){}.*+?^$|";

// Reads an expression from the left. After a failure the rest means nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const noexcept { return rest_.empty(); }
  bool take(std::string_view word) noexcept {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // False at the end.
  bool take(char32_t& c) noexcept {
    if (done()) return false;
    const char* at = rest_.data();
    c = unicode::next_code_point(at);
    rest_.remove_prefix(static_cast<std::size_t>(at - rest_.data()));
    return true;
  }
  bool take(std::size_t& number) noexcept {
    constexpr std::size_t kMost = 1000;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc() || number > kMost) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

 private:
  std::string_view rest_;
};

// An escaped character, behind the backslash; `whitespace` is set for \s.
bool read_escape(Reader& reader, std::u32string& set, bool& whitespace) {
  char32_t c = 0;
  if (!reader.take(c)) return false;
  switch (c) {
    case 's':
      whitespace = true;
      return true;
    case 'n':
      set += U'\n';
      return true;
    case 'r':
      set += U'\r';
      return true;
    case 't':
      set += U'\t';
      return true;
    default:
      set += c;
      return c < 0x80 && (kSpecial.find(static_cast<char>(c)) != kSpecial.npos || c == '-' || c == '/');
  }
}

bool read_set(Reader& reader, std::u32string& set, bool& whitespace) {
  while (!reader.take("]")) {
    char32_t c = 0;
    if (!reader.take(c)) return false;
    if (c == '\\') {
      if (!read_escape(reader, set, whitespace)) return false;
    } else if (c == '[' || c == '-' || c == '&') {
      return false;  // ranges, sets in sets
    } else {
      set += c;
    }
  }
  return !set.empty() || whitespace;
}

bool read_times(Reader& reader, std::size_t& least, std::size_t& most) {
  if (reader.take("+")) {
    most = kUnbounded;
  } else if (reader.take("{")) {
    if (!reader.take(least) || least == 0) return false;
    most = least;
    if (reader.take(",")) {
      most = kUnbounded;
      if (!reader.take("}")) return reader.take(most) && most >= least && reader.take("}");
      return true;
    }
    return reader.take("}");
  }
  return true;
}

}  // namespace

Result<Pattern> Pattern::literal(std::string_view text) {
  if (text.empty()) return wrong_file("must not be empty");
  Pattern pattern;
  pattern.literal_ = text;
  return pattern;
}

Result<Pattern> Pattern::regex(std::string_view expression) {
  Pattern pattern;
  Reader reader(expression);
  bool good = false;
  if (reader.take("[")) {
    pattern.negated_ = reader.take("^");
    good = read_set(reader, pattern.set_, pattern.whitespace_);
  } else if (reader.take("\\")) {
    good = read_escape(reader, pattern.set_, pattern.whitespace_);
  } else if (char32_t c = 0; reader.take(c)) {
    good = c >= 0x80 || kSpecial.find(static_cast<char>(c)) == kSpecial.npos;
    pattern.set_ += c;
  }
  if (!good || !read_times(reader, pattern.least_, pattern.most_) || !reader.done())
    return wrong_file(
        "is " + in_quotes(expression) +
        ", which is not supported. Supported: one character or set, as it is or with + or {2,}");
  return pattern;
}

bool Pattern::holds(char32_t c) const noexcept {
  const bool listed = set_.find(c) != set_.npos ||
                      (whitespace_ && (unicode::properties(c).flags & unicode::kWhitespace) != 0);
  return listed != negated_;
}

std::size_t Pattern::least() const noexcept {
  return literal_.empty() ? least_ : literal_.size();
}

std::size_t Pattern::match(std::string_view text) const noexcept {
  if (!literal_.empty()) return text.starts_with(literal_) ? literal_.size() : 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  std::size_t count = 0;
  while (at != end && count < most_) {
    const char* next = at;
    if (!holds(unicode::next_code_point(next))) break;
    at = next;
    ++count;
  }
  return count < least_ ? 0 : static_cast<std::size_t>(at - text.data());
}

Replace::Replace(Pattern pattern, std::string content)
    : pattern_(std::move(pattern)), content_(std::move(content)) {}

std::size_t Replace::growth() const {
  return std::max<std::size_t>(1, content_.size() / pattern_.least());
}

void Replace::append(std::string_view text, std::string& out) const {
  while (!text.empty()) {
    if (const std::size_t length = pattern_.match(text)) {
      out += content_;
      text.remove_prefix(length);
    } else {
      const char* at = text.data();
      unicode::next_code_point(at);
      const auto kept = static_cast<std::size_t>(at - text.data());
      out.append(text.substr(0, kept));
      text.remove_prefix(kept);
    }
  }
}

}  // namespace embedrouter::tokenizer
