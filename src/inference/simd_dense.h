#pragma once
#include <string>

#include "inference/dense.h"

namespace embedrouter::inference {

// Products of fp32 by this engine's own kernels.
class SimdDense final : public Dense {
 public:
  SimdDense(const Kernels& kernels, const DenseShape& shape) : Dense(shape), kernels_(kernels) {}

  std::string implementation() const override { return std::string("packed:") + kernels_.name; }
  PackedDense pack(std::span<const float> weights, std::span<const float> bias, Arena& arena) const override;
  std::unique_ptr<Lane> lane(Arena& arena) const override;

 private:
  class OneThread;
  const Kernels& kernels_;
};

// Products whose weights are 8 bits wide, on a scale per column of y; x is rounded as it comes, on a scale
// per row, to 14 bits.
class Int8Dense final : public Dense {
 public:
  Int8Dense(const Kernels& kernels, const DenseShape& shape) : Dense(shape), kernels_(kernels) {}

  std::string implementation() const override { return std::string("int8:") + kernels_.name; }
  PackedDense pack(std::span<const float> weights, std::span<const float> bias, Arena& arena) const override;
  std::unique_ptr<Lane> lane(Arena& arena) const override;

 private:
  class OneThread;
  const Kernels& kernels_;
};

}  // namespace embedrouter::inference
