#include "inference/simd_dense.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace embedrouter::inference {
namespace {

// Calls `place(to, column, k)` for every weight in the order of the packed panels, `step` numbers of x at a
// time.
template <class Place>
void each_packed(const DenseShape& shape, const Kernels& kernels, std::size_t step, Place place) {
  std::size_t to = 0;
  for (std::size_t first = 0; first < shape.out;) {
    const std::size_t whole = kernels.panel;
    const std::size_t columns = shape.out - first < whole ? kernels.lanes : whole;
    for (std::size_t k = 0; k < shape.in; k += step) {
      for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t i = 0; i < step; ++i) place(to++, first + c, k + i);
      }
    }
    first += columns;
  }
}

// What one step of a group of weights is worth: the largest is the most there is.
float step_of(std::span<const float> weights) {
  constexpr float kMost = 127.0F;
  float most = 0;
  for (const float weight : weights) most = std::max(most, std::abs(weight));
  return most / kMost;
}

}  // namespace

PackedDense SimdDense::pack(std::span<const float> weights, std::span<const float> bias, Arena& arena) const {
  const std::size_t in = shape().in;
  auto* panels = arena.allocate_array<float>(weights.size());
  each_packed(shape(), kernels_, 1, [&](std::size_t to, std::size_t column, std::size_t k) {
    panels[to] = weights[column * in + k];
  });
  return {reinterpret_cast<const std::byte*>(panels), arena.copy(bias)};
}

class SimdDense::OneThread final : public Dense::Lane {
 public:
  explicit OneThread(const SimdDense& dense) : dense_(dense) {}
  bool run(const PackedDense& layer, const void* in, void* out, std::uint32_t rows) override {
    const DenseShape& shape = dense_.shape();
    dense_.kernels_.product_f32(
        {reinterpret_cast<const float*>(layer.weights), layer.bias, shape.in, shape.out, shape.finish},
        static_cast<const float*>(in), rows, static_cast<float*>(out));
    return true;
  }

 private:
  const SimdDense& dense_;
};

std::unique_ptr<Dense::Lane> SimdDense::lane(Arena& /*arena*/) const {
  return std::make_unique<OneThread>(*this);
}

PackedDense Int8Dense::pack(std::span<const float> weights, std::span<const float> bias, Arena& arena) const {
  const std::size_t in = shape().in, out = shape().out;
  auto* panels = arena.allocate_array<std::int8_t>(weights.size());
  auto* scales = arena.allocate_array<float>(int8_groups(in) * out);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t first = 0; first < in; first += kInt8Group) {
      const std::size_t count = std::min(kInt8Group, in - first);
      scales[first / kInt8Group * out + o] = step_of(weights.subspan(o * in + first, count));
    }
  }
  each_packed(shape(), kernels_, 2, [&](std::size_t to, std::size_t column, std::size_t k) {
    const float step = scales[k / kInt8Group * out + column];
    panels[to] = static_cast<std::int8_t>(step > 0 ? std::nearbyint(weights[column * in + k] / step) : 0);
  });
  return {reinterpret_cast<const std::byte*>(panels), arena.copy(bias), scales};
}

class Int8Dense::OneThread final : public Dense::Lane {
 public:
  OneThread(const Int8Dense& dense, Arena& arena)
      : dense_(dense),
        rounded_(arena.allocate_array<std::int16_t>(std::size_t{kBlockRows} * dense.shape().in)) {}

  bool run(const PackedDense& layer, const void* in, void* out, std::uint32_t rows) override {
    const DenseShape& shape = dense_.shape();
    dense_.kernels_.quantize(static_cast<const float*>(in), rows, shape.in, rounded_, scales_.data());
    dense_.kernels_.product_int8({reinterpret_cast<const std::int8_t*>(layer.weights), layer.scales,
                                  layer.bias, shape.in, shape.out, shape.finish},
                                 rounded_, scales_.data(), rows, static_cast<float*>(out));
    return true;
  }

 private:
  const Int8Dense& dense_;
  std::int16_t* rounded_;                 // [kBlockRows][in]
  std::array<float, kBlockRows> scales_;  // of its rows
};

std::unique_ptr<Dense::Lane> Int8Dense::lane(Arena& arena) const {
  return std::make_unique<OneThread>(*this, arena);
}

}  // namespace embedrouter::inference
