#include "tokenizer/unicode_normalizer.h"

#include "tokenizer/scratch.h"
#include "tokenizer/unicode.h"

#include <algorithm>

namespace embedrouter::tokenizer {
namespace {

using unicode::properties;

// Takes code points in canonical order, and writes them, composed if it is asked to.
class Composer {
 public:
  Composer(bool composes, std::string& out) : composes_(composes), out_(out) {}

  void put(char32_t c, std::uint8_t combining_class) {
    if (!composes_) return unicode::append_utf8(out_, c);
    if (starter_ != kNone && (marks_->empty() || last_class_ < combining_class)) {
      if (const char32_t whole = unicode::compose(starter_, c)) {
        starter_ = whole;
        return;
      }
    }
    if (combining_class == 0) {
      flush();
      starter_ = c;
    } else {
      marks_->push_back(c);
      last_class_ = combining_class;
    }
  }

  void flush() {
    if (starter_ != kNone) unicode::append_utf8(out_, starter_);
    for (const char32_t mark : *marks_) unicode::append_utf8(out_, mark);
    starter_ = kNone;
    marks_->clear();
  }

 private:
  static constexpr char32_t kNone = 0x110000;

  const bool composes_;
  std::string& out_;
  char32_t starter_ = kNone;  // that marks may still join
  Scratch<std::u32string> marks_;
  std::uint8_t last_class_ = 0;
};

// Puts marks in canonical order on their way to the composer.
class Writer {
 public:
  Writer(UnicodeForm form, std::string& out)
      : compatible_(form == UnicodeForm::nfkc || form == UnicodeForm::nfkd),
        composer_(form == UnicodeForm::nfc || form == UnicodeForm::nfkc, out) {}

  void put(char32_t c) {
    const unicode::Properties& p = properties(c);
    const std::uint16_t parts = compatible_ && p.compatibility != 0 ? p.compatibility : p.decomposition;
    if (unicode::is_hangul_syllable(c)) {
      put_syllable(c - unicode::kHangulFirst);
    } else if (parts == 0) {
      put_part(c, p.combining_class);
    } else {
      for (const char32_t part : unicode::sequence(parts)) put_part(part, properties(part).combining_class);
    }
  }

  void flush() {
    order();
    composer_.flush();
  }

 private:
  void put_syllable(char32_t index) {
    const char32_t tail = index % 28;
    put_part(0x1100 + index / 588, 0);
    put_part(0x1161 + index % 588 / 28, 0);
    if (tail != 0) put_part(0x11A7 + tail, 0);
  }

  void put_part(char32_t c, std::uint8_t combining_class) {
    if (combining_class != 0) {
      marks_->push_back(std::uint64_t{combining_class} << 56 | std::uint64_t{marks_->size()} << 24 | c);
    } else {
      order();
      composer_.put(c, 0);
    }
  }

  void order() {
    if (marks_->empty()) return;
    std::ranges::sort(*marks_);
    for (const std::uint64_t mark : *marks_)
      composer_.put(static_cast<char32_t>(mark & 0xFFFFFF), static_cast<std::uint8_t>(mark >> 56));
    marks_->clear();
  }

  const bool compatible_;
  Composer composer_;
  // Those since the last starter: class, place (32 bits), code point (24 bits). Sorted as numbers they are in
  // canonical order.
  Scratch<std::vector<std::uint64_t>> marks_;
};

}  // namespace

void UnicodeNormalizer::append(std::string_view text, std::string& out) const {
  Writer writer(form_, out);
  while (!text.empty()) {
    // No ASCII character changes, and only the last of a run may be joined by what follows.
    const std::size_t plain = unicode::ascii_length(text);
    if (plain > 1) {
      writer.flush();
      out.append(text.substr(0, plain - 1));
      text.remove_prefix(plain - 1);
    }
    const char* at = text.data();
    writer.put(unicode::next_code_point(at));
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  }
  writer.flush();
}

}  // namespace embedrouter::tokenizer
