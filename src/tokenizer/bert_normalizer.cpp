#include "tokenizer/bert_normalizer.h"

#include "tokenizer/unicode.h"

#include <algorithm>

namespace embedrouter::tokenizer {
namespace {

using unicode::ascii_length;
using unicode::is_ascii;
using unicode::properties;
using unicode::Properties;

// Takes code points and appends their normal form.
class Writer {
 public:
  Writer(const BertNormalizerOptions& options, std::string& out) : options_(options), out_(out) {}

  void put(char32_t c) {
    const Properties& p = properties(c);
    if (options_.clean_text) {
      if (p.flags & unicode::kControl) return;  // gone before the marks around it are put in order
      if (p.flags & unicode::kWhitespace) return put_blank();
    }
    if (!options_.handle_chinese_chars || !(p.flags & unicode::kCjk)) return put_decomposed(c, p);
    put_blank();
    put_decomposed(c, p);
    put_blank();
  }

  bool marks_wait() const noexcept { return !marks_.empty(); }

  // Appends the marks that wait, in canonical order.
  void flush() {
    std::ranges::sort(marks_);
    for (const std::uint64_t mark : marks_) {
      const auto c = static_cast<char32_t>(mark & 0xFFFFFF);
      append(c, properties(c));
    }
    marks_.clear();
  }

 private:
  void put_blank() {
    if (marks_wait()) flush();
    out_.push_back(' ');
  }

  void put_decomposed(char32_t c, const Properties& p) {
    if (!options_.strip_accents) return append(c, p);
    if (unicode::is_hangul_syllable(c)) return put_syllable(c - unicode::kHangulFirst);
    if (p.decomposition == 0) return put_stripped(c, p);
    for (const char32_t part : unicode::sequence(p.decomposition)) put_stripped(part, properties(part));
  }

  void put_syllable(char32_t index) {
    if (marks_wait()) flush();
    const char32_t tail = index % 28;
    unicode::append_utf8(out_, 0x1100 + index / 588);
    unicode::append_utf8(out_, 0x1161 + index % 588 / 28);
    if (tail != 0) unicode::append_utf8(out_, 0x11A7 + tail);
  }

  // A mark that is dropped does not change the order of the others. A starter ends their run, dropped or not.
  void put_stripped(char32_t c, const Properties& p) {
    const bool dropped = p.flags & unicode::kMark;
    if (p.combining_class != 0) {
      if (!dropped)
        marks_.push_back(std::uint64_t{p.combining_class} << 56 | std::uint64_t{marks_.size()} << 24 | c);
      return;
    }
    if (marks_wait()) flush();
    if (!dropped) append(c, p);
  }

  void append(char32_t c, const Properties& p) {
    if (!options_.lowercase) return unicode::append_utf8(out_, c);
    if (p.lower_sequence == 0) return unicode::append_utf8(out_, c + static_cast<char32_t>(p.lower_delta));
    for (const char32_t part : unicode::sequence(p.lower_sequence)) unicode::append_utf8(out_, part);
  }

  const BertNormalizerOptions& options_;
  std::string& out_;
  // The marks kept since the last starter, few texts have any: class, place (32 bits), code point (24 bits).
  // Sorted as numbers they are in canonical order.
  std::vector<std::uint64_t> marks_;
};

}  // namespace

BertNormalizer::BertNormalizer(BertNormalizerOptions options) : options_(options), ascii_{} {
  std::string form;
  for (char32_t c = 0; c < 128; ++c) {
    form.clear();
    Writer(options_, form).put(c);
    ascii_[c] = {form.empty() ? '\0' : form[0], !form.empty()};
  }
}

void BertNormalizer::append_ascii(std::string_view text, std::string& out) const {
  const std::size_t before = out.size();
  out.resize(before + text.size());
  char* at = out.data() + before;
  for (const char byte : text) {
    const Ascii form = ascii_[static_cast<unsigned char>(byte)];
    *at = form.becomes;
    at += form.kept ? 1 : 0;
  }
  out.resize(static_cast<std::size_t>(at - out.data()));
}

void BertNormalizer::append(std::string_view text, std::string& out) const {
  Writer writer(options_, out);
  while (!text.empty()) {
    if (is_ascii(text[0]) && !writer.marks_wait()) {
      const std::size_t length = ascii_length(text);
      append_ascii(text.substr(0, length), out);
      text.remove_prefix(length);
    } else {
      const char* at = text.data();
      writer.put(unicode::next_code_point(at));
      text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    }
  }
  writer.flush();
}

}  // namespace embedrouter::tokenizer
