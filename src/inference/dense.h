#pragma once
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inference/arena.h"
#include "inference/kernels.h"

namespace embedrouter::inference {

// How the weights of the large products are kept, and with bf16 what goes between them too. Sums are float;
// of int8 whole numbers, exactly.
enum class Numbers : std::uint8_t { fp32, bf16, int8 };

struct DenseShape {
  std::uint32_t in = 0, out = 0;
  Finish finish = Finish::none;
  Numbers numbers = Numbers::fp32;
  bool reads_bf16() const noexcept { return numbers == Numbers::bf16; }
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

// The rows a block of `rows` may be computed as. What lies behind the last row is read and written, so
// buffers have room for it.
constexpr std::uint32_t padded_rows(std::uint32_t rows) noexcept {
  return (rows + 3) / 4 * 4;
}

// The weights of one layer, packed for the product they belong to, in an arena. Immutable.
struct PackedDense {
  const std::byte* weights = nullptr;
  const float* bias = nullptr;
  const float* scales = nullptr;  // of int8, see ProductInt8
};

// The products of one shape. All layers share one packed format. Immutable: any number of threads may run it,
// each with a Lane of its own.
class Dense {
 public:
  virtual ~Dense() = default;

  const DenseShape& shape() const noexcept { return shape_; }
  virtual std::string implementation() const = 0;  // e.g. "brg:avx512_core_bf16"

  // `weights`: [out][in] as the model file has them. May throw dnnl::error, bad_alloc.
  virtual PackedDense pack(std::span<const float> weights, std::span<const float> bias,
                           Arena& arena) const = 0;

  // What one thread needs to run these products without allocating.
  class Lane {
   public:
    virtual ~Lane() = default;
    // `in` and `out` have padded_rows(rows) rows; 1 <= rows <= kBlockRows. False if the library fails.
    virtual bool run(const PackedDense& layer, const void* in, void* out, std::uint32_t rows) = 0;
  };
  // The product and the arena must outlive its lanes. May throw dnnl::error, bad_alloc.
  virtual std::unique_ptr<Lane> lane(Arena& arena) const = 0;

 protected:
  explicit Dense(const DenseShape& shape) : shape_(shape) {}

 private:
  DenseShape shape_;
};

// The fastest way there is on this CPU: oneDNN's where it has one over packed weights (AVX-512 and AMX), the
// kernels' own elsewhere and for int8. May throw dnnl::error, bad_alloc.
std::unique_ptr<const Dense> make_dense(const dnnl::engine& engine, const Kernels& kernels,
                                        const DenseShape& shape);

}  // namespace embedrouter::inference
