// Vectors as JSON numbers: scan and parse agree on any bytes, each value is the float32 nearest to its
// digits, simdjson's tree is the judge of what is an array of numbers, and what is written reads back to the
// same bits.
#include <simdjson.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "api/vector_text.h"

namespace {

using namespace embedrouter;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// A flat array of numbers that fit float32.
bool is_vector(std::string_view text) {
  simdjson::dom::parser judge;
  simdjson::dom::array array;
  if (judge.parse(text.data(), text.size()).get_array().get(array) != simdjson::SUCCESS) return false;
  for (const simdjson::dom::element element : array) {
    double value = 0;
    // Half a unit above the largest float32 would round to infinity; leave the neighbourhood undecided.
    if (element.get_double().get(value) != simdjson::SUCCESS || std::fabs(value) > 3.4e38) return false;
  }
  return array.size() != 0;
}

std::vector<float> nearest(std::string_view text) {
  std::vector<float> values;
  const std::string digits(text.substr(1));
  for (const char* at = digits.c_str(); *at != '\0';) {
    char* end = nullptr;
    const float value = std::strtof(at, &end);
    if (end == at) break;
    values.push_back(value);
    at = end + std::strcspn(end, ",]");
    if (*at != ',') break;
    ++at;
  }
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Exactly as long, so that a read behind the end is found.
  const std::vector<char> exact(data, data + size);
  const std::string_view text(exact.data(), exact.size());
  const auto scanned = api::scan_numbers(text);
  if (!scanned) {
    require(text.empty() || text.front() != '[' || text.back() != ']' || !is_vector(text));
    return 0;
  }
  std::vector<float> values(scanned->width);
  const auto parsed = api::parse_numbers(text, values);
  require(parsed && parsed->width == scanned->width);
  require(same_bits(values, nearest(text)));
  std::string again;
  api::append_numbers(again, values);
  std::vector<float> second(values.size());
  require(values.empty() || (api::measure(values) && api::parse_numbers(again, second)));
  require(same_bits(values, second));
  return 0;
}
