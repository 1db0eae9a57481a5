#pragma once
// Products of packed weights, written once over the number of lanes; see kernels_simd.h for the rules of such
// files.

#include "inference/kernels_simd.h"

namespace embedrouter::inference::simd {

template <int W>
struct WholeNumbers {
  typedef std::int32_t Integers __attribute__((vector_size(W * sizeof(std::int32_t))));
  typedef std::int16_t Shorts __attribute__((vector_size(W * sizeof(std::int16_t))));
  typedef std::int8_t Bytes __attribute__((vector_size(W)));
};
template <int W>
using Integers = typename WholeNumbers<W>::Integers;
template <int W>
using Shorts = typename WholeNumbers<W>::Shorts;
template <int W>
using Pairs = Shorts<2 * W>;
template <int W>
using Bytes = typename WholeNumbers<W>::Bytes;

template <int W>
[[gnu::always_inline]] inline Floats<W> magnitude(Floats<W> x) {
  return __builtin_bit_cast(Floats<W>, __builtin_bit_cast(Words<W>, x) & 0x7FFFFFFFU);
}
// The nearest whole numbers of numbers below 2^22.
template <int W>
[[gnu::always_inline]] inline Integers<W> nearest(Floats<W> x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  return __builtin_bit_cast(Integers<W>, x + kRound) - __builtin_bit_cast(std::int32_t, kRound);
}

// Rows and registers of columns of a tile: as many sums as the registers hold, beside a row of weights and a
// number of x.
template <int W>
inline constexpr int kTileRows = W == 16 ? 12 : 6;
inline constexpr int kTileRegisters = 2;

// Numbers of x that one pass over a panel takes: a panel's part then stays in the first-level cache.
inline constexpr std::size_t kDepthF32 = 384;
static_assert(kInt8Group * 127 * kInt8Levels < 0x7FFFFFFF, "the sums of a group of int8 products");

// x times the normal distribution's share below x; erf by Abramowitz and Stegun 7.1.26, error below 1.5e-7.
template <int W>
[[gnu::always_inline]] inline Floats<W> gelu(Floats<W> x) {
  const Floats<W> y = magnitude<W>(x) * 0.70710678F;
  const Floats<W> t = 1.0F / (y * 0.3275911F + 1.0F);
  Floats<W> p = t * 1.061405429F - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Floats<W> beyond = p * t * exp2_of_negative<W>(y * y * -1.4426950F);  // erfc(y)
  const Floats<W> half = x * beyond * 0.5F;
  return x >= 0.0F ? x - half : half;
}

// The same by tanh, as x / (1 + exp(-2u)).
template <int W>
[[gnu::always_inline]] inline Floats<W> gelu_tanh(Floats<W> x) {
  const Floats<W> u = (x * x * 0.044715F + 1.0F) * x * 0.79788456F;
  const Floats<W> e = exp2_of_negative<W>(magnitude<W>(u) * (-2.0F * 1.4426950F));
  const Floats<W> share = 1.0F / (e + 1.0F);
  return x * (u >= 0.0F ? share : share * e);
}

template <int W, Floats<W> (*F)(Floats<W>)>
[[gnu::always_inline]] inline void apply(float* out, std::size_t stride, std::size_t rows, int columns) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (int n = 0; n < columns; n += W) store<W>(out + r * stride + n, F(load<W>(out + r * stride + n)));
  }
}

template <int W>
[[gnu::always_inline]] inline Floats<W> positive(Floats<W> x) {
  return larger<W>(x, all<W>(0.0F));
}

template <int W>
[[gnu::always_inline]] inline void finish_columns(Finish finish, float* out, std::size_t stride,
                                                  std::size_t rows, int columns) {
  switch (finish) {
    case Finish::none:
    case Finish::add:
      return;
    case Finish::gelu:
      return apply<W, gelu<W>>(out, stride, rows, columns);
    case Finish::gelu_tanh:
      return apply<W, gelu_tanh<W>>(out, stride, rows, columns);
    case Finish::relu:
      return apply<W, positive<W>>(out, stride, rows, columns);
  }
}

// What the sums of a tile begin with: the bias, y, or both.
enum class Begin : std::uint8_t { bias, y, both };

template <int W>
[[gnu::always_inline]] inline Floats<W> begin_with(Begin begin, const float* bias, const float* y) {
  if (begin == Begin::bias) return load<W>(bias);
  return begin == Begin::y ? load<W>(y) : load<W>(y) + load<W>(bias);
}

// A tile of y: R rows of N registers of columns. `weights` and `bias` are those of the tile's panel.
template <int W, int R, int N>
void tile_f32(const float* x, std::size_t x_stride, const float* weights, std::size_t depth,
              const float* bias, Begin begin, float* y, std::size_t y_stride) {
  Floats<W> sums[R][N];
  const float* rows[R];
  for (int r = 0; r < R; ++r) {
    rows[r] = x + static_cast<std::size_t>(r) * x_stride;
    // Keeps a pointer per row: the compiler would rather add up strides, one waiting for the other.
    asm("" : "+r"(rows[r]));
    for (int n = 0; n < N; ++n)
      sums[r][n] = begin_with<W>(begin, bias + n * W, y + static_cast<std::size_t>(r) * y_stride + n * W);
  }
  for (std::size_t k = 0; k < depth; ++k) {
    Floats<W> w[N];
    for (int n = 0; n < N; ++n) w[n] = load<W>(weights + k * (N * W) + static_cast<std::size_t>(n * W));
    for (int r = 0; r < R; ++r) {
      const float number = rows[r][k];
      for (int n = 0; n < N; ++n) sums[r][n] += w[n] * number;
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int n = 0; n < N; ++n) store<W>(y + static_cast<std::size_t>(r) * y_stride + n * W, sums[r][n]);
  }
}

// Sums of the products of neighbours.
template <int W>
[[gnu::always_inline]] inline Integers<W> multiply_pairs(Pairs<W> a, Pairs<W> b) {
#if defined(__AVX512BW__) && defined(__clang__)
  if constexpr (W == 16) return __builtin_ia32_pmaddwd512(a, b);
#elif defined(__AVX512BW__)
  if constexpr (W == 16) return __builtin_ia32_pmaddwd512_mask(a, b, Integers<W>{}, 0xFFFF);
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) return __builtin_ia32_pmaddwd256(a, b);
#endif
#if defined(__SSE2__)
  if constexpr (W == 4) return __builtin_ia32_pmaddwd128(a, b);
#endif
  const auto first = [](Pairs<W> v) { return __builtin_bit_cast(Integers<W>, v) << 16 >> 16; };
  const auto second = [](Pairs<W> v) { return __builtin_bit_cast(Integers<W>, v) >> 16; };
  return first(a) * first(b) + second(a) * second(b);
}

template <int W>
[[gnu::always_inline]] inline Pairs<W> load_pairs(const std::int8_t* from) {
  Bytes<2 * W> bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, Pairs<W>);
}

template <int W>
[[gnu::always_inline]] inline Pairs<W> repeat_pair(const std::int16_t* from) {
  std::int32_t pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return __builtin_bit_cast(Pairs<W>, Integers<W>{} + pair);
}

// The same of whole numbers: `x_scales` per row and `scales` per column make floats of the sums.
template <int W, int R, int N>
void tile_int8(const std::int16_t* x, std::size_t x_stride, const float* x_scales, const std::int8_t* weights,
               std::size_t depth, const float* scales, const float* bias, Begin begin, float* y,
               std::size_t y_stride) {
  Integers<W> sums[R][N];
  const std::int16_t* rows[R];
  for (int r = 0; r < R; ++r) {
    rows[r] = x + static_cast<std::size_t>(r) * x_stride;
    asm("" : "+r"(rows[r]));
    for (int n = 0; n < N; ++n) sums[r][n] = Integers<W>{};
  }
  for (std::size_t k = 0; k < depth; k += 2) {
    Pairs<W> w[N];
    for (int n = 0; n < N; ++n)
      w[n] = load_pairs<W>(weights + k * (N * W) + static_cast<std::size_t>(2 * n * W));
    for (int r = 0; r < R; ++r) {
      const Pairs<W> numbers = repeat_pair<W>(rows[r] + k);
      for (int n = 0; n < N; ++n) sums[r][n] += multiply_pairs<W>(w[n], numbers);
    }
  }
  for (int r = 0; r < R; ++r) {
    float* to = y + static_cast<std::size_t>(r) * y_stride;
    for (int n = 0; n < N; ++n) {
      const Floats<W> sum = __builtin_convertvector(sums[r][n], Floats<W>);
      store<W>(to + n * W,
               begin_with<W>(begin, bias + n * W, to + n * W) + sum * x_scales[r] * load<W>(scales + n * W));
    }
  }
}

// Calls `panel.operator()<N>(first column)` for every panel; the last may be of one register.
template <int W, class Panel>
[[gnu::always_inline]] inline void each_panel(std::size_t columns, Panel panel) {
  std::size_t column = 0;
  for (; column + kTileRegisters * W <= columns; column += kTileRegisters * W)
    panel.template operator()<kTileRegisters>(column);
  for (; column < columns; column += W) panel.template operator()<1>(column);
}

// Calls `part(first, depth, begin, last)` for each part of the depth.
template <std::size_t Most, class Part>
[[gnu::always_inline]] inline void each_depth(std::size_t in, Finish finish, Part part) {
  for (std::size_t first = 0; first < in; first += Most) {
    const std::size_t depth = in - first < Most ? in - first : Most;
    part(first, depth,
         first != 0              ? Begin::y
         : finish == Finish::add ? Begin::both
                                 : Begin::bias,
         first + depth == in);
  }
}

template <int W>
void product_f32(const ProductF32& p, const float* x, std::size_t rows, float* y) {
  each_depth<kDepthF32>(p.in, p.finish, [&](std::size_t first, std::size_t depth, Begin begin, bool last) {
    each_panel<W>(p.out, [&]<int N>(std::size_t column) {
      const float* weights = p.weights + column * p.in + first * (N * W);
      each_group<kTileRows<W>>(rows, [&]<int R>(std::size_t row) {
        tile_f32<W, R, N>(x + row * p.in + first, p.in, weights, depth, p.bias + column, begin,
                          y + row * p.out + column, p.out);
      });
      if (last) finish_columns<W>(p.finish, y + column, p.out, rows, N * W);
    });
  });
}

// Group by group within a panel, so that its columns of y stay in the first-level cache.
template <int W>
void product_int8(const ProductInt8& p, const std::int16_t* x, const float* x_scales, std::size_t rows,
                  float* y) {
  each_panel<W>(p.out, [&]<int N>(std::size_t column) {
    const std::int8_t* weights = p.weights + column * p.in;
    const float* scales = p.scales + column;
    each_depth<kInt8Group>(p.in, p.finish, [&](std::size_t first, std::size_t depth, Begin begin, bool last) {
      each_group<kTileRows<W>>(rows, [&]<int R>(std::size_t row) {
        tile_int8<W, R, N>(x + row * p.in + first, p.in, x_scales + row, weights, depth, scales,
                           p.bias + column, begin, y + row * p.out + column, p.out);
      });
      if (last) finish_columns<W>(p.finish, y + column, p.out, rows, N * W);
      weights += depth * (N * W);
      scales += p.out;
    });
  });
}

template <int W>
void quantize(const float* x, std::size_t rows, std::size_t width, std::int16_t* to, float* scales) {
  for (std::size_t r = 0; r < rows; ++r) {
    const float* row = x + r * width;
    Floats<W> top = all<W>(0.0F);
    for (std::size_t i = 0; i < width; i += W) top = larger<W>(top, magnitude<W>(load<W>(row + i)));
    const float most = largest<W>(top);
    const float scale = most > 0.0F ? static_cast<float>(kInt8Levels) / most : 0.0F;
    scales[r] = most / static_cast<float>(kInt8Levels);
    for (std::size_t i = 0; i < width; i += W) {
      const auto narrow = __builtin_convertvector(nearest<W>(load<W>(row + i) * scale), Shorts<W>);
      __builtin_memcpy(to + r * width + i, &narrow, sizeof narrow);
    }
  }
}

template <int W>
constexpr Kernels make_kernels(const char* name) {
  return {name,
          W,
          layer_norm<W>,
          attention<W, float>,
          attention<W, Bf16>,
          mean_unit<W>,
          kTileRegisters * W,
          product_f32<W>,
          product_int8<W>,
          quantize<W>};
}

}  // namespace embedrouter::inference::simd
