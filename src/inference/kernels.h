#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace embedrouter::inference {

// The upper half of an IEEE-754 float, rounded to nearest even.
struct Bf16 {
  std::uint16_t bits;
};

inline constexpr std::size_t kMaxTokensPerText = 8192;  // of any model: bounds the scratch space

// What the distance of two tokens adds to their score (MPNet), times log2(e): zero[head * stride + key -
// query]. Up to 15 floats behind the last key's are read. Without `zero` nothing is added.
struct DistanceBias {
  const float* zero = nullptr;
  std::size_t stride = 0;
};

// What happens to a product before it is stored: y = x·Wᵀ + b, or gelu of that (by the error function or by
// tanh), or what of it is positive, or y += that.
enum class Finish : std::uint8_t { none, gelu, gelu_tanh, relu, add };

// A product whose weights are packed for one kernel set: panels of Kernels::panel columns (the last may have
// half of them), within a panel the numbers of one x after the other, each with the panel's columns side by
// side. `in` and `out` are multiples of 16.
struct ProductF32 {
  const float* weights;
  const float* bias;  // [out]
  std::size_t in, out;
  Finish finish;
};

// The same in whole numbers; x goes in pairs: a column's weight for the first of a pair lies before that for
// the second. A weight is worth `scales` of its column and of its group of kInt8Group numbers of x.
struct ProductInt8 {
  const std::int8_t* weights;  // -127 to 127
  const float* scales;         // [int8_groups(in)][out]
  const float* bias;           // [out]
  std::size_t in, out;
  Finish finish;
};

// What a row of x is rounded to in an int8 product: its largest number is this many steps. The weights are
// the 8 bits of it; sums of more finely rounded x cost no more.
inline constexpr int kInt8Levels = 8191;
inline constexpr std::size_t kInt8Group = 64;
constexpr std::size_t int8_groups(std::size_t in) noexcept {
  return (in + kInt8Group - 1) / kInt8Group;
}

// Everything of the forward pass, for one width of vector register. Pure functions: thread-safe, no
// allocation. Widths of rows and heads are multiples of 16.
struct Kernels {
  const char* name;   // "simd512"
  std::size_t lanes;  // floats per register

  // In place over `count` rows of `width`: (x - mean) / sqrt(variance + epsilon) * gamma + beta. Writes the
  // result as bf16 to `copy` too, unless that is null.
  void (*layer_norm)(float* rows, std::size_t count, std::size_t width, const float* gamma, const float* beta,
                     float epsilon, Bf16* copy);

  // Self-attention within one text. `qkv` holds per token the queries, keys and values of all heads, 3 *
  // heads * head_width numbers; `out` gets heads * head_width per token. `scratch`: attention_scratch()
  // floats. head_width is 32 or 64.
  void (*attention_f32)(const float* qkv, std::size_t tokens, std::size_t heads, std::size_t head_width,
                        const DistanceBias& bias, float* out, float* scratch);
  void (*attention_bf16)(const Bf16* qkv, std::size_t tokens, std::size_t heads, std::size_t head_width,
                         const DistanceBias& bias, Bf16* out, float* scratch);

  // The mean of `count` rows, at unit length. A zero mean stays zero.
  void (*mean_unit)(const float* rows, std::size_t count, std::size_t width, float* out);

  std::size_t panel;  // columns of packed weights that lie together
  // `x`: [rows][in]; `y`: [rows][out]. At least one row.
  void (*product_f32)(const ProductF32& product, const float* x, std::size_t rows, float* y);
  void (*product_int8)(const ProductInt8& product, const std::int16_t* x, const float* x_scales,
                       std::size_t rows, float* y);
  // Rounds each row of x to at most kInt8Levels steps, and writes what a step is worth.
  void (*quantize)(const float* x, std::size_t rows, std::size_t width, std::int16_t* to, float* scales);
};

// Floats that an attention kernel needs for a text of `tokens`.
std::size_t attention_scratch(std::size_t tokens, std::size_t head_width) noexcept;

// Every kernel set this build has and this CPU can run, slowest first; never empty. Honours the ISA limit of
// oneDNN (ONEDNN_MAX_CPU_ISA), so that one variable lowers the whole engine.
std::span<const Kernels* const> available_kernels() noexcept;

extern const Kernels kKernels128, kKernels256, kKernels512;

}  // namespace embedrouter::inference
