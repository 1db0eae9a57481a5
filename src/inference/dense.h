#pragma once
#include <embedrouter/result.h>

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "inference/kernels.h"

namespace embedrouter::inference {

// What the large products read: float or bf16. Sums are always float.
enum class Numbers : std::uint8_t { fp32, bf16 };

// What happens to a product before it is stored: y = x·Wᵀ + b, or gelu of that (by the error function or by
// tanh), or what of it is positive, or y += that.
enum class Finish : std::uint8_t { none, gelu, gelu_tanh, relu, add };

struct DenseShape {
  std::uint32_t in = 0, out = 0;
  Finish finish = Finish::none;
  Numbers numbers = Numbers::fp32;
  // The type of y. `add` always writes floats.
  bool writes_bf16() const noexcept { return numbers == Numbers::bf16 && finish != Finish::add; }
};

// oneDNN starts a team of OpenMP threads for every thread that calls it. Hold one of these on each thread
// that does, and the caller is the whole team. The thread's former setting comes back afterwards.
class OneThreadTeam {
 public:
  OneThreadTeam();
  ~OneThreadTeam();
  OneThreadTeam(const OneThreadTeam&) = delete;
  OneThreadTeam& operator=(const OneThreadTeam&) = delete;

 private:
  int former_;
};

// Rows are worked on in blocks of at most this many: enough to pay for reading the weights once more, few
// enough that a block's activations stay in the second-level cache. Measured against 24 to 256 on weights too
// large for that cache.
inline constexpr std::uint32_t kBlockRows = 96;

// The rows a block of `rows` is computed as: products exist for multiples of 4 only. What lies behind the
// last row is read and written, so buffers have room for it.
constexpr std::uint32_t padded_rows(std::uint32_t rows) noexcept {
  return (rows + 3) / 4 * 4;
}

// The weights of one layer, packed for the product they belong to. Immutable.
struct PackedDense {
  dnnl::memory weights, bias;
};

// The products of one shape for every number of rows up to a block, compiled by oneDNN once. All share one
// packed format. Immutable: any number of threads may run it, each with a Lane of its own.
class Dense {
 public:
  // May throw dnnl::error.
  Dense(const dnnl::engine& engine, const DenseShape& shape);

  const DenseShape& shape() const noexcept { return shape_; }
  std::size_t scratch_bytes() const noexcept { return scratch_bytes_; }
  std::string implementation() const;  // e.g. "brg:avx512_core_bf16"

  // `weights`: [out][in] as the model file has them. May throw dnnl::error.
  PackedDense pack(std::span<const float> weights, std::span<const float> bias) const;

  // What one thread needs to run these products without allocating: arguments for every number of rows.
  class Lane {
   public:
    // May throw dnnl::error. `scratch` has scratch_bytes() at least; `dense` and both must outlive the lane.
    Lane(const Dense& dense, const dnnl::stream& stream, void* scratch);
    // `in` and `out` have padded_rows(rows) rows; 1 <= rows <= kBlockRows. False if the library fails.
    bool run(const PackedDense& layer, const void* in, void* out, std::uint32_t rows);

   private:
    struct Arguments {
      dnnl::memory in, out;
    };
    const Dense* dense_;
    dnnl::stream stream_;
    dnnl::memory scratch_;
    std::vector<Arguments> arguments_;  // by padded rows / 4 - 1
  };

 private:
  dnnl::memory::desc in_desc(std::uint32_t rows) const;
  dnnl::memory::desc out_desc(std::uint32_t rows) const;
  dnnl::matmul::primitive_desc describe(std::uint32_t rows, const dnnl::memory::desc& weights) const;

  DenseShape shape_;
  dnnl::engine engine_;
  dnnl::memory::desc packed_;
  std::string implementation_;
  std::vector<dnnl::matmul> products_;  // by padded rows / 4 - 1
  std::size_t scratch_bytes_ = 0;
};

}  // namespace embedrouter::inference
