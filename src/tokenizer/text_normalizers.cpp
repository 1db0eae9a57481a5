#include "tokenizer/text_normalizers.h"

#include "tokenizer/scratch.h"
#include "tokenizer/unicode.h"

#include <algorithm>
#include <utility>

namespace embedrouter::tokenizer {
namespace {

bool is_whitespace(char32_t c) noexcept {
  return unicode::properties(c).flags & unicode::kWhitespace;
}

}  // namespace

void Lowercase::append(std::string_view text, std::string& out) const {
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    const char32_t c = unicode::next_code_point(at);
    unicode::each_lower(c, unicode::properties(c),
                        [&out](char32_t part) { unicode::append_utf8(out, part); });
  }
}

void StripAccents::append(std::string_view text, std::string& out) const {
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    const char32_t c = unicode::next_code_point(at);
    if (!(unicode::properties(c).flags & unicode::kCombining)) unicode::append_utf8(out, c);
  }
}

void Strip::append(std::string_view text, std::string& out) const {
  while (left_ && !text.empty()) {
    const char* at = text.data();
    if (!is_whitespace(unicode::next_code_point(at))) break;
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  }
  while (right_ && !text.empty() && is_whitespace(unicode::last_code_point(text))) {
    while ((static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.remove_suffix(1);
    text.remove_suffix(1);
  }
  out += text;
}

void Prepend::append(std::string_view text, std::string& out) const {
  if (!text.empty()) out += what_;
  out += text;
}

void NormalizerSequence::append(std::string_view text, std::string& out) const {
  if (all_.empty()) {
    out += text;
    return;
  }
  Scratch<> one;
  Scratch<> other;
  std::string* from = &*one;
  std::string* to = &*other;
  for (std::size_t i = 0; i + 1 < all_.size(); ++i) {
    to->clear();
    all_[i]->append(text, *to);
    std::swap(from, to);
    text = *from;
  }
  all_.back()->append(text, out);
}

std::size_t NormalizerSequence::growth() const {
  constexpr std::size_t kEnough = 1 << 16;  // more is never told apart
  std::size_t product = 1;
  for (const auto& each : all_) product = std::min(kEnough, product * each->growth());
  return product;
}

}  // namespace embedrouter::tokenizer
