#pragma once
// Vectors as text: JSON number arrays and base64. The hot loops of a router that passes vectors through.

#include <embedrouter/result.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace embedrouter::api {

// Values of a vector that the gate looks at.
struct VectorFacts {
  std::size_t width = 0;
  bool nonzero = false;     // at least one value is not zero
  double squared_norm = 0;  // only from measure(); scan leaves 0
};

// Checks `json` (brackets included) against the JSON grammar for an array of numbers: count, no NaN,
// Infinity, null, nesting, or value that overflows float32, and a non-zero digit somewhere. Reads no value;
// vectorised.
Result<VectorFacts> scan_numbers(std::string_view json);

// Reads the numbers, correctly rounded to float32. `out` must have exactly the width. Checks as scan_numbers
// does.
Result<VectorFacts> parse_numbers(std::string_view json, std::span<float> out);
// Appends `[…]`, each number in the shortest form that reads back to the same float32. Values must be finite.
void append_numbers(std::string& out, std::span<const float> values);

// Width of the base64 text of a float32 array; fails if its length or padding cannot be one.
Result<std::size_t> base64_width(std::string_view text);
// Decodes into little-endian float32. Accepts what is unambiguous: the URL alphabet, missing padding. Exact
// otherwise: refuses other characters and non-zero trailing bits. `out` must have exactly the width.
Result<void> decode_base64(std::string_view text, std::span<float> out);
void append_base64(std::string& out, std::span<const float> values);
// True if `text` is padded and in the standard alphabet, as clients expect, so that it may pass through.
bool is_canonical_base64(std::string_view text);

// Finite, non-zero, norm. Fails on a value that is not finite, naming its position.
Result<VectorFacts> measure(std::span<const float> values);

}  // namespace embedrouter::api
