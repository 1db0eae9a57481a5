#include "inference/pooling.h"

#include <algorithm>
#include <cmath>

namespace embedrouter::inference {
namespace {

float apply(Activation activation, float x) {
  switch (activation) {
    case Activation::identity:
      break;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::gelu:
      return 0.5F * x * (1.0F + std::erf(x * 0.70710678F));
    case Activation::gelu_tanh:
      return 0.5F * x * (1.0F + std::tanh(0.79788456F * (x + 0.044715F * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0F);
  }
  return x;
}

// The sum of the rows, each times what `weight` gives for its place, over `total`.
template <class Weight>
void add_up(const float* rows, std::size_t first, std::size_t count, std::size_t width, Weight weight,
            float total, float* out) {
  std::fill_n(out, width, 0.0F);
  for (std::size_t r = first; r < count; ++r) {
    const float* row = rows + r * width;
    const float w = weight(r);
    for (std::size_t i = 0; i < width; ++i) out[i] += row[i] * w;
  }
  const float scale = total > 0 ? 1.0F / total : 0.0F;
  for (std::size_t i = 0; i < width; ++i) out[i] *= scale;
}

void take_largest(const float* rows, std::size_t first, std::size_t count, std::size_t width, float* out) {
  if (first == count) {
    std::fill_n(out, width, 0.0F);
    return;
  }
  std::copy_n(rows + first * width, width, out);
  for (std::size_t r = first + 1; r < count; ++r) {
    const float* row = rows + r * width;
    for (std::size_t i = 0; i < width; ++i) out[i] = std::max(out[i], row[i]);
  }
}

}  // namespace

void DenseLayer::run(std::span<const float> x, float* y) const {
  std::ranges::copy(bias, y);
  for (std::size_t k = 0; k < in; ++k) {
    const float* row = weights.data() + k * out;
    for (std::size_t i = 0; i < out; ++i) y[i] += x[k] * row[i];
  }
  for (std::size_t i = 0; i < out; ++i) y[i] = apply(activation, y[i]);
}

void pool(Pooling pooling, const float* rows, std::size_t count, std::size_t skipped, std::size_t width,
          float* out) {
  const std::size_t first = std::min(skipped, count);
  const auto left = static_cast<float>(count - first);
  const auto once = [](std::size_t) { return 1.0F; };
  switch (pooling) {
    case Pooling::cls:
      std::copy_n(rows + (first < count ? first : 0) * width, width, out);
      break;
    case Pooling::last:
      std::copy_n(rows + (count - 1) * width, width, out);
      break;
    case Pooling::max:
      take_largest(rows, first, count, width, out);
      break;
    case Pooling::mean:
      add_up(rows, first, count, width, once, left, out);
      break;
    case Pooling::mean_sqrt:
      add_up(rows, first, count, width, once, std::sqrt(left), out);
      break;
    case Pooling::weighted_mean: {
      float total = 0;
      for (std::size_t r = first; r < count; ++r) total += static_cast<float>(r + 1);
      add_up(rows, first, count, width, [](std::size_t r) { return static_cast<float>(r + 1); }, total, out);
    }
  }
}

void make_unit(std::span<float> vector) {
  double squares = 0;
  for (const float v : vector) squares += double{v} * v;
  const double norm = std::sqrt(squares);
  const auto scale = static_cast<float>(norm > 1e-12 ? 1.0 / norm : 0.0);
  for (float& v : vector) v *= scale;
}

}  // namespace embedrouter::inference
