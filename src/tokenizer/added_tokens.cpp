#include "tokenizer/added_tokens.h"

#include "tokenizer/unicode.h"

#include <algorithm>

namespace embedrouter::tokenizer {
namespace {

bool has(char32_t c, unicode::Flag flag) noexcept {
  return unicode::properties(c).flags & flag;
}

std::size_t whitespace_before(std::string_view text, std::size_t at, std::size_t lowest) noexcept {
  while (at > lowest) {
    std::size_t start = at - 1;
    while ((static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (!has(unicode::first_code_point(text.substr(start)), unicode::kWhitespace)) break;
    at = start;
  }
  return std::max(at, lowest);
}

std::size_t whitespace_after(std::string_view text, std::size_t at) noexcept {
  const char* next = text.data() + at;
  while (at < text.size() && has(unicode::next_code_point(next), unicode::kWhitespace))
    at = static_cast<std::size_t>(next - text.data());
  return at;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), places_(tokens_.size()) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    places_.insert(tokens_[i].content, static_cast<std::uint32_t>(i));
    first_bytes_.set(static_cast<unsigned char>(tokens_[i].content[0]));
  }
}

std::size_t AddedTokens::find_candidate(std::string_view text, std::size_t at) const noexcept {
  if (first_bytes_.count() == 1) return std::min(text.find(tokens_[0].content[0], at), text.size());
  while (at < text.size() && !first_bytes_[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

bool AddedTokens::Search::stands_alone(std::size_t start, std::size_t stop) const noexcept {
  return (start == 0 || !has(unicode::last_code_point(text_.substr(0, start)), unicode::kWord)) &&
         (stop == text_.size() || !has(unicode::first_code_point(text_.substr(stop)), unicode::kWord));
}

std::optional<std::uint32_t> AddedTokens::Search::next(std::string_view& between) {
  while (!tokens_.empty()) {
    std::size_t start = tokens_.find_candidate(text_, at_);
    if (start == text_.size()) break;
    const auto [place, length] = tokens_.places_.longest_prefix(text_.substr(start));
    if (length == 0) {
      at_ = start + 1;
      continue;
    }
    const AddedToken& token = tokens_.tokens_[place];
    std::size_t stop = start + length;
    at_ = stop;
    if (token.single_word && !stands_alone(start, stop)) continue;
    if (token.lstrip) start = whitespace_before(text_, start, covered_);
    // Up to `stripped_` there is white space already; nothing is looked at twice.
    if (token.rstrip) stop = stripped_ = whitespace_after(text_, std::max(stop, stripped_));
    if (start >= stop) continue;  // an earlier token took all of it
    between = start > covered_ ? text_.substr(covered_, start - covered_) : std::string_view();
    covered_ = stop;
    return token.id;
  }
  between = text_.substr(covered_);
  return std::nullopt;
}

}  // namespace embedrouter::tokenizer
