#pragma once
// The vector of a text: a function any language can compute, so that a misplaced, cut or foreign vector shows
// by computing it again. tests/support/vectors.py is the same in Python, bit for bit.
//
//   seed    = SHA-256(space ‖ 0x00 ‖ text)
//   block i = SHA-256(seed ‖ i as eight little-endian bytes), i = 0, 1, …
//   each block is eight little-endian uint32 u, each giving x = (u + 0.5) / 2^31 − 1, exact in double;
//   with a drift of N, the x of the space named `space` ‖ "~", times N / 10000, are added;
//   the first `width` x are divided by the root of the sum of their squares (added in order, in double)
//   and rounded to float32.
//
// A drift of N turns every vector by the same angle: their cosine is about 1 − N² / (2 · 10^8), so 0.99995 at
// 100, 0.9998 at 200 and 0.995 at 1000.
//
// The text of an array of token ids is the ids in decimal, joined by commas.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::fake_upstream {

struct Space {
  std::string name;
  long drift = 0;
};

// The first `width` x, not yet divided.
std::vector<double> direction_of(std::string_view text, const Space& space, std::size_t width);
std::vector<float> normalised(const std::vector<double>& direction);
std::vector<float> vector_of(std::string_view text, const Space& space, std::size_t width);

std::string sha256_hex(std::string_view bytes);

std::string number_array(
    const std::vector<float>& values);          // shortest digits that read back to the same float32
std::string base64_of(std::string_view bytes);  // standard alphabet, padded
std::string float32_bytes(const std::vector<float>& values);  // little-endian

}  // namespace embedrouter::fake_upstream
