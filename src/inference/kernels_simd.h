#pragma once
// The kernels, written once over the number of lanes and compiled per instruction set
// (kernels_128/256/512.cpp). A file that is compiled for AVX must not emit an inline function that other
// files share, or the linker may keep the AVX copy for all: so nothing here calls the standard library, and
// every function is a template over the lanes or always inlined.

#include <cstddef>
#include <cstdint>

#include "inference/kernels.h"

namespace embedrouter::inference::simd {

template <int W>
using Floats = float __attribute__((ext_vector_type(W)));
template <int W>
using Words = std::uint32_t __attribute__((ext_vector_type(W)));
template <int W>
using Halves = std::uint16_t __attribute__((ext_vector_type(W)));

template <int W>
[[gnu::always_inline]] inline Floats<W> load(const float* from) {
  Floats<W> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <int W>
[[gnu::always_inline]] inline Floats<W> load(const Bf16* from) {
  Halves<W> h;
  __builtin_memcpy(&h, from, sizeof h);
  return __builtin_bit_cast(Floats<W>, __builtin_convertvector(h, Words<W>) << 16);
}
template <int W>
[[gnu::always_inline]] inline void store(float* to, Floats<W> v) {
  __builtin_memcpy(to, &v, sizeof v);
}
// Rounds to nearest even. Values are finite.
template <int W>
[[gnu::always_inline]] inline void store(Bf16* to, Floats<W> v) {
  const auto bits = __builtin_bit_cast(Words<W>, v);
  const auto rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const auto h = __builtin_convertvector(rounded, Halves<W>);
  __builtin_memcpy(to, &h, sizeof h);
}

template <int W>
[[gnu::always_inline]] inline float sum(Floats<W> v) {
  if constexpr (W == 2) {
    return v.x + v.y;
  } else {
    return sum<W / 2>(v.lo + v.hi);
  }
}
template <int W>
[[gnu::always_inline]] inline float largest(Floats<W> v) {
  if constexpr (W == 2) {
    return __builtin_fmaxf(v.x, v.y);
  } else {
    return largest<W / 2>(__builtin_elementwise_max(v.lo, v.hi));
  }
}

// 2^x for x <= 0, relative error below 2e-7; below 2^-126 the result is about 2^-126.
template <int W>
[[gnu::always_inline]] inline Floats<W> exp2_of_negative(Floats<W> x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  x = __builtin_elementwise_max(x, Floats<W>(-126.0F));
  const Floats<W> shifted = x + kRound;
  const Floats<W> f = x - (shifted - kRound);  // in [-0.5, 0.5]
  Floats<W> p = Floats<W>(1.5403530e-4F);      // Taylor: ln(2)^k / k!
  p = p * f + 1.3333558e-3F;
  p = p * f + 9.6181291e-3F;
  p = p * f + 5.5504109e-2F;
  p = p * f + 2.4022651e-1F;
  p = p * f + 6.9314718e-1F;
  p = p * f + 1.0F;
  const auto exponent = __builtin_bit_cast(Words<W>, shifted) << 23;
  return __builtin_bit_cast(Floats<W>, __builtin_bit_cast(Words<W>, p) + exponent);
}

template <int W>
void layer_norm(float* rows, std::size_t count, std::size_t width, const float* gamma, const float* beta,
                float epsilon, Bf16* copy) {
  const float per_width = 1.0F / static_cast<float>(width);
  for (std::size_t r = 0; r < count; ++r) {
    float* row = rows + r * width;
    Floats<W> total = Floats<W>(0.0F);
    for (std::size_t i = 0; i < width; i += W) total += load<W>(row + i);
    const float mean = sum<W>(total) * per_width;
    Floats<W> squares = Floats<W>(0.0F);
    for (std::size_t i = 0; i < width; i += W) {
      const Floats<W> d = load<W>(row + i) - mean;
      squares += d * d;
    }
    const float scale = 1.0F / __builtin_sqrtf(sum<W>(squares) * per_width + epsilon);
    for (std::size_t i = 0; i < width; i += W) {
      const Floats<W> y = (load<W>(row + i) - mean) * scale * load<W>(gamma + i) + load<W>(beta + i);
      store<W>(row + i, y);
      if (copy != nullptr) store<W>(copy + r * width + i, y);
    }
  }
}

template <int W>
void mean_unit(const float* rows, std::size_t count, std::size_t width, float* out) {
  Floats<W> squares = Floats<W>(0.0F);
  const float per_count = 1.0F / static_cast<float>(count);
  for (std::size_t i = 0; i < width; i += W) {
    Floats<W> total = Floats<W>(0.0F);
    for (std::size_t r = 0; r < count; ++r) total += load<W>(rows + r * width + i);
    total *= per_count;
    squares += total * total;
    store<W>(out + i, total);
  }
  const float norm = __builtin_sqrtf(sum<W>(squares));
  const float scale = norm > 1e-12F ? 1.0F / norm : 0.0F;
  for (std::size_t i = 0; i < width; i += W) store<W>(out + i, load<W>(out + i) * scale);
}

inline constexpr std::size_t kQueriesAtOnce = 4;

// One head of one text, unpacked to floats: keys transposed, so that a register holds one dimension of W
// keys.
struct Head {
  float* keys;        // [D][stride]; columns from `tokens` on are zero
  float* values;      // [tokens][D]
  float* scores;      // [kQueriesAtOnce][stride]
  float* queries;     // [kQueriesAtOnce][D], scaled
  const float* bias;  // of distance 0; null: none
  std::size_t tokens;
  std::size_t stride;  // tokens, rounded up to the lanes
};

// scores[r][j..j+W*N) = queries[r] · keys[.][j..]
template <int W, int D, int R, int N>
[[gnu::always_inline]] inline void score_columns(const Head& head, std::size_t j) {
  Floats<W> s[R][N];
  for (int r = 0; r < R; ++r) {
    for (int n = 0; n < N; ++n) s[r][n] = Floats<W>(0.0F);
  }
  for (int d = 0; d < D; ++d) {
    Floats<W> k[N];
    for (int n = 0; n < N; ++n)
      k[n] = load<W>(head.keys + static_cast<std::size_t>(d) * head.stride + j + n * W);
    for (int r = 0; r < R; ++r) {
      const float q = head.queries[r * D + d];
      for (int n = 0; n < N; ++n) s[r][n] += k[n] * q;
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int n = 0; n < N; ++n)
      store<W>(head.scores + static_cast<std::size_t>(r) * head.stride + j + n * W, s[r][n]);
  }
}

// Adds what the distances from the query at `query` mean.
template <int W>
[[gnu::always_inline]] inline void add_bias(const Head& head, std::size_t query, float* scores) {
  const float* bias = head.bias - query;
  for (std::size_t j = 0; j < head.stride; j += W)
    store<W>(scores + j, load<W>(scores + j) + load<W>(bias + j));
}

// Softmax of a row of scores in units of log2, not yet divided by its sum, which is returned.
template <int W>
[[gnu::always_inline]] inline float soften(float* scores, std::size_t tokens, std::size_t stride) {
  for (std::size_t j = tokens; j < stride; ++j) scores[j] = -1e30F;
  Floats<W> top = load<W>(scores);
  for (std::size_t j = W; j < stride; j += W) top = __builtin_elementwise_max(top, load<W>(scores + j));
  const float maximum = largest<W>(top);
  Floats<W> total = Floats<W>(0.0F);
  for (std::size_t j = 0; j < stride; j += W) {
    const Floats<W> p = exp2_of_negative<W>(load<W>(scores + j) - maximum);
    total += p;
    store<W>(scores + j, p);
  }
  // The padding adds 2^-126 a lane at most, far below the rounding of a sum that is at least 1.
  return sum<W>(total);
}

// R queries of one head, from the one at `query` on, against all its keys and values.
template <int W, int D, int R, class E>
[[gnu::always_inline]] inline void attend(const Head& head, std::size_t query, E* out,
                                          std::size_t out_stride) {
  constexpr int kColumns = W == 16 ? 4 : 2;
  constexpr int kParts = D / W < 4 ? D / W : 4;  // registers of a value row held at once
  std::size_t j = 0;
  for (; j + kColumns * W <= head.stride; j += kColumns * W) score_columns<W, D, R, kColumns>(head, j);
  for (; j < head.stride; j += W) score_columns<W, D, R, 1>(head, j);

  if (head.bias != nullptr) {
    for (std::size_t r = 0; r < R; ++r) add_bias<W>(head, query + r, head.scores + r * head.stride);
  }
  float scale[R];
  for (int r = 0; r < R; ++r)
    scale[r] = 1.0F / soften<W>(head.scores + r * head.stride, head.tokens, head.stride);

  for (int part = 0; part < D; part += kParts * W) {
    Floats<W> o[R][kParts];
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < kParts; ++n) o[r][n] = Floats<W>(0.0F);
    }
    for (std::size_t k = 0; k < head.tokens; ++k) {
      Floats<W> v[kParts];
      for (int n = 0; n < kParts; ++n) v[n] = load<W>(head.values + k * D + part + n * W);
      for (int r = 0; r < R; ++r) {
        const float p = head.scores[r * head.stride + k];
        for (int n = 0; n < kParts; ++n) o[r][n] += v[n] * p;
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int n = 0; n < kParts; ++n) store<W>(out + r * out_stride + part + n * W, o[r][n] * scale[r]);
    }
  }
}

template <int W, int D, class E>
void attention_of_width(const E* qkv, std::size_t tokens, std::size_t heads, const DistanceBias& bias, E* out,
                        float* scratch) {
  const std::size_t width = heads * D;
  const std::size_t in_stride = 3 * width;
  Head head;
  head.tokens = tokens;
  head.stride = (tokens + W - 1) / W * W;
  head.keys = scratch;
  head.values = head.keys + D * head.stride;
  head.scores = head.values + D * tokens;
  head.queries = head.scores + kQueriesAtOnce * head.stride;
  // 1 / sqrt(D) of the model, and log2(e) because the softmax works in powers of two.
  const float query_scale = 1.4426950408889634F / __builtin_sqrtf(static_cast<float>(D));

  for (std::size_t h = 0; h < heads; ++h) {
    head.bias = bias.zero == nullptr ? nullptr : bias.zero + h * bias.stride;
    const E* queries = qkv + h * D;
    const E* keys = queries + width;
    const E* values = keys + width;
    for (std::size_t t = 0; t < tokens; ++t) {
      float row[D];
      for (int d = 0; d < D; d += W) {
        store<W>(row + d, load<W>(keys + t * in_stride + d));
        store<W>(head.values + t * D + d, load<W>(values + t * in_stride + d));
      }
      for (int d = 0; d < D; ++d) head.keys[d * head.stride + t] = row[d];
    }
    for (std::size_t t = tokens; t < head.stride; ++t) {
      for (int d = 0; d < D; ++d) head.keys[d * head.stride + t] = 0.0F;
    }
    for (std::size_t t = 0; t < tokens; t += kQueriesAtOnce) {
      const std::size_t count = tokens - t < kQueriesAtOnce ? tokens - t : kQueriesAtOnce;
      for (std::size_t r = 0; r < count; ++r) {
        for (int d = 0; d < D; d += W) {
          store<W>(head.queries + r * D + d, load<W>(queries + (t + r) * in_stride + d) * query_scale);
        }
      }
      E* to = out + t * width + h * D;
      switch (count) {
        case 4:
          attend<W, D, 4>(head, t, to, width);
          break;
        case 3:
          attend<W, D, 3>(head, t, to, width);
          break;
        case 2:
          attend<W, D, 2>(head, t, to, width);
          break;
        default:
          attend<W, D, 1>(head, t, to, width);
          break;
      }
    }
  }
}

template <int W, class E>
void attention(const E* qkv, std::size_t tokens, std::size_t heads, std::size_t head_width,
               const DistanceBias& bias, E* out, float* scratch) {
  if (head_width == 32) {
    attention_of_width<W, 32>(qkv, tokens, heads, bias, out, scratch);
  } else {
    attention_of_width<W, 64>(qkv, tokens, heads, bias, out, scratch);
  }
}

template <int W>
constexpr Kernels make_kernels(const char* name) {
  return {name, W, layer_norm<W>, attention<W, float>, attention<W, Bf16>, mean_unit<W>};
}

}  // namespace embedrouter::inference::simd
