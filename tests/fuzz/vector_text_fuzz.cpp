// Numbers and base64: scan and parse agree on any bytes, and what is read is written back to the same bits.
#include <cstdlib>
#include <cstring>

#include "api/vector_text.h"

namespace {

using namespace embedrouter;

void numbers(std::string_view text) {
  const auto scanned = api::scan_numbers(text);
  if (!scanned) return;
  std::vector<float> values(scanned->width);
  const auto parsed = api::parse_numbers(text, values);
  if (!parsed) std::abort();
  if (parsed->width != scanned->width) std::abort();
  if (!values.empty() && !api::measure(values)) std::abort();
  std::string again;
  api::append_numbers(again, values);
  std::vector<float> second(values.size());
  if (!values.empty() && !api::parse_numbers(again, second)) std::abort();
  if (!values.empty() && std::memcmp(values.data(), second.data(), values.size() * sizeof(float)) != 0)
    std::abort();
}

void base64(std::string_view text) {
  const auto width = api::base64_width(text);
  if (!width) return;
  std::vector<float> values(*width);
  if (!api::decode_base64(text, values)) return;
  std::string again;
  api::append_base64(again, values);
  if (api::is_canonical_base64(text) && again != text) std::abort();
  if (!api::is_canonical_base64(again)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  numbers(text);
  base64(text);
  return 0;
}
