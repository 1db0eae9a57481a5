#include "inference/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace embedrouter::inference {
namespace {

std::vector<float> noise(Random& random, std::size_t count, double scale) {
  std::vector<float> out(count);
  for (float& v : out) v = static_cast<float>((random.uniform() * 2 - 1) * scale);
  return out;
}

float widen(Bf16 v) {
  const std::uint32_t bits = std::uint32_t{v.bits} << 16;
  float out = 0;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}

Bf16 narrow(float v) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &v, sizeof bits);
  return {static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}

// The textbook, in double.
std::vector<double> plain_attention(const std::vector<float>& qkv, std::size_t tokens, std::size_t heads,
                                    std::size_t d) {
  const std::size_t width = heads * d;
  std::vector<double> out(tokens * width);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < tokens; ++i) {
      std::vector<double> p(tokens);
      double top = -HUGE_VAL, sum = 0;
      for (std::size_t j = 0; j < tokens; ++j) {
        double dot = 0;
        for (std::size_t k = 0; k < d; ++k) {
          dot += double{qkv[i * 3 * width + h * d + k]} * qkv[j * 3 * width + width + h * d + k];
        }
        p[j] = dot / std::sqrt(static_cast<double>(d));
        top = std::max(top, p[j]);
      }
      for (double& v : p) sum += v = std::exp(v - top);
      for (std::size_t j = 0; j < tokens; ++j) {
        for (std::size_t k = 0; k < d; ++k) {
          out[i * width + h * d + k] += p[j] / sum * qkv[j * 3 * width + 2 * width + h * d + k];
        }
      }
    }
  }
  return out;
}

TEST(kernels, every_machine_has_at_least_one_set_and_the_last_is_the_widest) {
  const auto all = available_kernels();
  ASSERT_FALSE(all.empty());
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1]->lanes, all[i]->lanes);
}

TEST(kernels, attention_agrees_with_the_textbook_at_every_length_and_head_width) {
  Random random(7);
  for (const Kernels* kernels : available_kernels()) {
    for (const std::size_t d : {32, 64}) {
      for (const std::size_t tokens : {1, 2, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 130, 511, 512}) {
        const std::size_t heads = tokens > 100 ? 1 : 3;
        // Scores from nearly flat to nearly one-hot.
        const auto qkv = noise(random, tokens * 3 * heads * d, tokens % 2 == 0 ? 2.0 : 0.5);
        std::vector<float> out(tokens * heads * d), scratch(attention_scratch(tokens, d));
        kernels->attention_f32(qkv.data(), tokens, heads, d, {}, out.data(), scratch.data());
        const auto expected = plain_attention(qkv, tokens, heads, d);
        for (std::size_t i = 0; i < out.size(); ++i) {
          ASSERT_NEAR(out[i], expected[i], 1e-5)
              << kernels->name << " tokens " << tokens << " head " << d << " at " << i;
        }
      }
    }
  }
}

TEST(kernels, attention_on_bf16_differs_from_floats_by_its_rounding_alone) {
  Random random(8);
  for (const Kernels* kernels : available_kernels()) {
    const std::size_t tokens = 37, heads = 2, d = 32;
    std::vector<float> qkv = noise(random, tokens * 3 * heads * d, 2.0);
    std::vector<Bf16> narrow_qkv;
    for (float& v : qkv) {
      narrow_qkv.push_back(narrow(v));
      v = widen(narrow_qkv.back());
    }
    std::vector<float> out(tokens * heads * d), scratch(attention_scratch(tokens, d));
    std::vector<Bf16> narrow_out(out.size());
    kernels->attention_f32(qkv.data(), tokens, heads, d, {}, out.data(), scratch.data());
    kernels->attention_bf16(narrow_qkv.data(), tokens, heads, d, {}, narrow_out.data(), scratch.data());
    for (std::size_t i = 0; i < out.size(); ++i)
      EXPECT_EQ(narrow_out[i].bits, narrow(out[i]).bits) << kernels->name;
  }
}

TEST(kernels, attention_with_huge_scores_stays_finite) {
  for (const Kernels* kernels : available_kernels()) {
    const std::size_t tokens = 20, d = 32;
    std::vector<float> qkv(tokens * 3 * d, 1e4F), out(tokens * d), scratch(attention_scratch(tokens, d));
    for (std::size_t i = 0; i < d; ++i)
      qkv[3 * d + d + i] = -1e4F;  // the key of token 1 is the opposite of the queries
    kernels->attention_f32(qkv.data(), tokens, 1, d, {}, out.data(), scratch.data());
    for (const float v : out) EXPECT_NEAR(v, 1e4F, 1.0F) << kernels->name;
  }
}

TEST(kernels, layer_norm_agrees_with_the_textbook_and_copies_it_rounded) {
  Random random(9);
  const std::size_t rows = 5, width = 384;
  for (const Kernels* kernels : available_kernels()) {
    auto x = noise(random, rows * width, 3.0);
    x[17] = 80.0F;  // an outlier, as real activations have
    const auto gamma = noise(random, width, 1.5), beta = noise(random, width, 0.5);
    const auto before = x;
    std::vector<Bf16> copy(x.size());
    kernels->layer_norm(x.data(), rows, width, gamma.data(), beta.data(), 1e-12F, copy.data());
    for (std::size_t r = 0; r < rows; ++r) {
      double mean = 0, variance = 0;
      for (std::size_t i = 0; i < width; ++i) mean += before[r * width + i] / double{width};
      for (std::size_t i = 0; i < width; ++i)
        variance += std::pow(before[r * width + i] - mean, 2) / double{width};
      for (std::size_t i = 0; i < width; ++i) {
        const double expected =
            (before[r * width + i] - mean) / std::sqrt(variance + 1e-12) * gamma[i] + beta[i];
        EXPECT_NEAR(x[r * width + i], expected, 1e-5 * (1 + std::abs(expected))) << kernels->name;
        EXPECT_EQ(copy[r * width + i].bits, narrow(x[r * width + i]).bits);
      }
    }
  }
}

TEST(kernels, mean_unit_has_length_one_and_a_zero_mean_stays_zero) {
  Random random(10);
  for (const Kernels* kernels : available_kernels()) {
    const std::size_t rows = 7, width = 384;
    const auto x = noise(random, rows * width, 2.0);
    std::vector<float> out(width);
    kernels->mean_unit(x.data(), rows, width, out.data());
    std::vector<double> mean(width);
    double norm = 0;
    for (std::size_t i = 0; i < rows * width; ++i) mean[i % width] += x[i] / double{rows};
    for (const double v : mean) norm += v * v;
    for (std::size_t i = 0; i < width; ++i)
      EXPECT_NEAR(out[i], mean[i] / std::sqrt(norm), 1e-6) << kernels->name;

    std::vector<float> opposite(2 * width, 1.0F);
    for (std::size_t i = 0; i < width; ++i) opposite[i] = -1.0F;
    kernels->mean_unit(opposite.data(), 2, width, out.data());
    for (const float v : out) EXPECT_EQ(v, 0.0F);
  }
}

}  // namespace
}  // namespace embedrouter::inference
