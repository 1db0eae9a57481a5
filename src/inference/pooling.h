#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "inference/model_config.h"

namespace embedrouter::inference {

// A layer behind the pooling: activation(x·Wᵀ + b). Immutable.
struct DenseLayer {
  std::uint32_t in = 0, out = 0;
  std::vector<float> weights;  // [in][out]: turned round, so that a step of the sum is a row
  std::vector<float> bias;     // [out], or zeros
  Activation activation = Activation::identity;
  // `x` has `in` numbers, `y` gets `out`; they do not overlap.
  void run(std::span<const float> x, float* y) const;
};

// One vector of the `count` rows of a text, without its first `skipped` ones (a prompt's). With nothing left,
// zero; for the first and the last row, that of the whole text.
void pool(Pooling pooling, const float* rows, std::size_t count, std::size_t skipped, std::size_t width,
          float* out);

// At length one. Zero stays zero.
void make_unit(std::span<float> vector);

}  // namespace embedrouter::inference
