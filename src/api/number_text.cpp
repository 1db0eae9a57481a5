// scan_numbers, parse_numbers, append_numbers, measure of vector_text.h.
#include <array>
#include <charconv>
#include <cmath>

#include "api/json_number.h"
#include "api/number_filter.h"
#include "api/vector_text.h"

namespace embedrouter::api {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char* skip_space(const char* at, const char* end) {
  while (at != end && is_space(*at)) ++at;
  return at;
}

std::string number_at(std::size_t index) {
  return "value " + std::to_string(index);
}

// The usual things found where a number should be.
tl::unexpected<Error> not_a_number(const char* at, const char* end, std::size_t index) {
  const std::string_view rest(at, static_cast<std::size_t>(end - at));
  for (const std::string_view word :
       {"null", "NaN", "nan", "Infinity", "inf", "-Infinity", "-inf", "-NaN", "-nan"}) {
    if (rest.starts_with(word)) {
      return fail(ErrorCode::upstream_invalid_vector,
                  number_at(index) + " is " + std::string(word) + ", not a number");
    }
  }
  return fail(ErrorCode::upstream_invalid_answer, number_at(index) + " is not a JSON number");
}

// The numbers between the brackets, or nothing if those are missing.
std::optional<std::string_view> inside_brackets(std::string_view json) {
  if (json.size() < 2 || json.front() != '[' || json.back() != ']') return std::nullopt;
  return json.substr(1, json.size() - 2);
}

// Calls `take(index, value)` for each number, every rule checked; it returns false to stop with no failure.
template <class Take>
Result<VectorFacts> read_array(std::string_view json, Take take) {
  const auto inner = inside_brackets(json);
  if (!inner) return fail(ErrorCode::upstream_invalid_answer, "the vector is not a JSON array");
  VectorFacts facts;
  const char* at = inner->data();
  const char* const end = at + inner->size();
  at = skip_space(at, end);
  if (at == end) return facts;
  for (;;) {
    const char* const begin = at;
    Decimal decimal;
    if (!read_decimal(at, end, decimal)) return not_a_number(begin, end, facts.width);
    const float value = to_float(decimal);
    if (std::isinf(value)) {
      return fail(ErrorCode::upstream_invalid_vector, number_at(facts.width) + " is too large for float32");
    }
    facts.nonzero = facts.nonzero || value != 0;
    if (!take(facts.width++, value)) return facts;
    at = skip_space(at, end);
    if (at == end) return facts;
    if (*at != ',') {
      return fail(ErrorCode::upstream_invalid_answer,
                  "no comma behind " + number_at(facts.width - 1) + " of the vector");
    }
    at = skip_space(at + 1, end);
  }
}

}  // namespace

Result<VectorFacts> scan_numbers(std::string_view json) {
  const auto inner = inside_brackets(json);
  const auto count = inner ? quick_count(*inner) : std::nullopt;
  if (!count) return read_array(json, [](std::size_t, float) { return true; });
  // Well-formed. The first value is seldom zero.
  auto facts = read_array(json, [](std::size_t, float value) { return value == 0; });
  if (facts) facts->width = *count;
  return facts;
}

Result<VectorFacts> parse_numbers(std::string_view json, std::span<float> out) {
  auto facts = read_array(json, [out](std::size_t index, float value) {
    if (index < out.size()) out[index] = value;
    return true;
  });
  if (facts && facts->width != out.size()) {
    return fail(ErrorCode::upstream_invalid_vector, "the vector has " + std::to_string(facts->width) +
                                                        " values instead of " + std::to_string(out.size()));
  }
  return facts;
}

void append_numbers(std::string& out, std::span<const float> values) {
  constexpr std::size_t kLongest = 16;  // "-1.17549435e-38" and a separator
  constexpr std::size_t kAtOnce = 64;
  std::array<char, kLongest * kAtOnce> text;
  out += '[';
  for (std::size_t done = 0; done < values.size();) {
    char* at = text.data();
    for (const float value : values.subspan(done, std::min(kAtOnce, values.size() - done))) {
      if (done++ != 0) *at++ = ',';
      if (std::isfinite(value)) {
        at = std::to_chars(at, text.data() + text.size(), value).ptr;
      } else {
        at = std::copy_n("null", 4, at);
      }
    }
    out.append(text.data(), at);
  }
  out += ']';
}

Result<VectorFacts> measure(std::span<const float> values) {
  // Several sums, so that the additions need not wait for each other. Squares of float32 cannot overflow a
  // double.
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  for (; i < values.size(); ++i) sums[0] += static_cast<double>(values[i]) * values[i];
  VectorFacts facts;
  facts.width = values.size();
  for (const double sum : sums) facts.squared_norm += sum;
  if (!std::isfinite(facts.squared_norm)) {
    const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    return fail(ErrorCode::upstream_invalid_vector,
                number_at(static_cast<std::size_t>(bad - values.begin())) + " is not finite");
  }
  facts.nonzero = facts.squared_norm != 0;
  return facts;
}

}  // namespace embedrouter::api
