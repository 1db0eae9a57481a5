#pragma once
#include <string>
#include <vector>

#include "inference/dense.h"

namespace embedrouter::inference {

// Products of fp32 or bf16 for every number of rows up to a block, compiled by oneDNN once.
class OneDnnDense final : public Dense {
 public:
  // May throw dnnl::error.
  OneDnnDense(const dnnl::engine& engine, const DenseShape& shape);

  std::string implementation() const override;
  PackedDense pack(std::span<const float> weights, std::span<const float> bias, Arena& arena) const override;
  std::unique_ptr<Lane> lane(Arena& arena) const override;

 private:
  class OneThread;

  dnnl::memory::desc in_desc(std::uint32_t rows) const;
  dnnl::memory::desc out_desc(std::uint32_t rows) const;
  dnnl::matmul::primitive_desc describe(std::uint32_t rows, const dnnl::memory::desc& weights) const;

  dnnl::engine engine_;
  dnnl::memory::desc packed_;
  std::string implementation_;
  std::vector<dnnl::matmul> products_;  // by padded rows / 4 - 1
  std::size_t scratch_bytes_ = 0;
};

}  // namespace embedrouter::inference
