#include "tokenizer/unicode.h"

#include "base/json_text.h"

namespace embedrouter::tokenizer::unicode {

void append_repaired(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() >= length && is_utf8(text.substr(0, length))) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
}

}  // namespace embedrouter::tokenizer::unicode
