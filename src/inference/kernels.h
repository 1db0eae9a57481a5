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

// Everything of the forward pass that is not a large matrix product, for one width of vector register. Pure
// functions: thread-safe, no allocation. Widths of rows and heads are multiples of 16.
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
};

// Floats that an attention kernel needs for a text of `tokens`.
std::size_t attention_scratch(std::size_t tokens, std::size_t head_width) noexcept;

// Every kernel set this build has and this CPU can run, slowest first; never empty. Honours the ISA limit of
// oneDNN (ONEDNN_MAX_CPU_ISA), so that one variable lowers the whole engine.
std::span<const Kernels* const> available_kernels() noexcept;

extern const Kernels kKernels128, kKernels256, kKernels512;

}  // namespace embedrouter::inference
