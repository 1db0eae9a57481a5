#include "inference/encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "inference/test_model.h"

namespace embedrouter::inference {
namespace {

constexpr double kFp32Tolerance = 1e-5, kBf16Cosine = 0.9995;

bool has_bf16() {
  constexpr auto kBf16 = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kBf16) == kBf16;
}

std::unique_ptr<const Weights> load(Numbers numbers) {
  const auto config = read_model_config(model_folder());
  if (!config) throw std::runtime_error(config.error().message());
  auto weights = Weights::load(model_folder(), *config, numbers);
  if (!weights) throw std::runtime_error(weights.error().message());
  return std::move(*weights);
}

class encoder_of_the_default_model : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fp32_ = load(Numbers::fp32);
    if (has_bf16()) bf16_ = load(Numbers::bf16);
  }
  static void TearDownTestSuite() {
    fp32_.reset();
    bf16_.reset();
  }

  // The texts of `which`, as many in a chunk as fit.
  static std::vector<float> embed(const Weights& weights, const Kernels& kernels, std::size_t chunk,
                                  const std::vector<std::vector<std::uint32_t>>& ids) {
    const OneThreadTeam alone;
    Encoder encoder(weights, kernels, static_cast<std::uint32_t>(chunk));
    std::vector<float> out(ids.size() * kGoldenWidth);
    std::vector<Sequence> sequences;
    std::size_t tokens = 0;
    for (std::size_t i = 0; i <= ids.size(); ++i) {
      if (i == ids.size() || tokens + ids[i].size() > chunk) {
        EXPECT_TRUE(encoder.run(sequences));
        sequences.clear();
        tokens = 0;
      }
      if (i == ids.size()) break;
      sequences.push_back({ids[i], out.data() + i * kGoldenWidth});
      tokens += ids[i].size();
    }
    return out;
  }
  static std::span<const float> row(const std::vector<float>& all, std::size_t i) {
    return std::span(all).subspan(i * kGoldenWidth, kGoldenWidth);
  }

  static inline std::unique_ptr<const Weights> fp32_, bf16_;
};

TEST_F(encoder_of_the_default_model, agrees_with_the_reference_in_fp32_with_the_widest_kernels) {
  const auto expected = golden_vectors();
  const auto got = embed(*fp32_, *available_kernels().back(), 512, golden_ids());
  ASSERT_EQ(got.size(), expected.size());
  const double difference = max_difference(got, expected);
  RecordProperty("max_difference", std::to_string(difference));
  EXPECT_LE(difference, kFp32Tolerance);
}

TEST_F(encoder_of_the_default_model, agrees_with_the_reference_in_fp32_with_every_kernel_set) {
  const auto expected = golden_vectors();
  auto ids = golden_ids();
  // Every 20th text of the corpus, which is ordered by kind.
  std::vector<std::vector<std::uint32_t>> some;
  for (std::size_t i = 0; i < ids.size(); i += 20) some.push_back(ids[i]);
  for (const Kernels* kernels : available_kernels()) {
    const auto got = embed(*fp32_, *kernels, 512, some);
    for (std::size_t i = 0; i < some.size(); ++i) {
      EXPECT_LE(max_difference(row(got, i), row(expected, 20 * i)), kFp32Tolerance)
          << kernels->name << " text " << 20 * i;
    }
  }
}

// Where the CPU has no bf16, LocalModel refuses it (local_model_test), and there is nothing to compare.
TEST_F(encoder_of_the_default_model, agrees_with_the_reference_in_bf16_where_the_cpu_has_it) {
  ASSERT_EQ(bf16_ != nullptr, has_bf16());
  if (!has_bf16()) return;
  const auto expected = golden_vectors();
  const auto ids = golden_ids();
  const auto got = embed(*bf16_, *available_kernels().back(), 512, ids);
  double least = 1;
  for (std::size_t i = 0; i < ids.size(); ++i) least = std::min(least, cosine(row(got, i), row(expected, i)));
  RecordProperty("least_cosine", std::to_string(least));
  EXPECT_GE(least, kBf16Cosine);
}

TEST_F(encoder_of_the_default_model, gives_a_text_the_same_vector_alone_and_among_others) {
  auto ids = golden_ids();
  ids.resize(64);
  std::vector<const Weights*> precisions{fp32_.get()};
  if (has_bf16()) precisions.push_back(bf16_.get());
  for (const Weights* weights : precisions) {
    const auto together = embed(*weights, *available_kernels().back(), 4096, ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto alone = embed(*weights, *available_kernels().back(), 512, {ids[i]});
      if (weights->numbers == Numbers::fp32) {
        EXPECT_LE(max_difference(alone, row(together, i)), kFp32Tolerance) << "text " << i;
      } else {
        EXPECT_GE(cosine(alone, row(together, i)), 0.9999) << "text " << i;
      }
    }
  }
}

TEST_F(encoder_of_the_default_model, takes_every_length_up_to_the_end_of_the_position_table) {
  const OneThreadTeam alone;
  const std::uint32_t positions = fp32_->config.positions();
  ASSERT_EQ(positions, 512U);
  Encoder encoder(*fp32_, *available_kernels().back(), positions);
  std::vector<std::uint32_t> ids(positions, 2000);
  std::vector<float> out(kGoldenWidth), before(kGoldenWidth);
  for (std::uint32_t length = 1; length <= positions; length += length < 70 || length > 505 ? 1 : 29) {
    const Sequence one{std::span(ids).first(length), out.data()};
    ASSERT_TRUE(encoder.run({&one, 1}));
    EXPECT_NEAR(std::inner_product(out.begin(), out.end(), out.begin(), 0.0), 1.0, 1e-5) << length;
    EXPECT_NE(out, before) << "length " << length << " is not seen";
    before = out;
  }
}

TEST_F(encoder_of_the_default_model, an_empty_chunk_is_no_work) {
  const OneThreadTeam alone;
  Encoder encoder(*fp32_, *available_kernels().back(), 16);
  EXPECT_TRUE(encoder.run({}));
}

TEST(weights, their_digest_sees_the_size_the_header_and_the_sampled_bytes) {
  const std::string header = "{}", data(1 << 20, 'x');
  const std::string file = std::string(8, '\0') + header + data;
  const std::string digest = weights_digest(file, header);
  EXPECT_EQ(digest.size(), 8U);
  std::string last = file, first = file;
  last.back() = 'y';
  first[10] = 'y';
  EXPECT_NE(weights_digest(last, header), digest);
  EXPECT_NE(weights_digest(first, header), digest);
  EXPECT_NE(weights_digest(file + "x", header), digest);
  EXPECT_EQ(weights_digest(std::string(file), header), digest);
}

TEST(weights, of_another_shape_than_the_config_says_are_refused_by_name) {
  auto config = read_model_config(model_folder());
  ASSERT_TRUE(config) << config.error().message();
  config->inner_width = 768;
  const auto weights = Weights::load(model_folder(), *config, Numbers::fp32);
  ASSERT_FALSE(weights);
  EXPECT_NE(weights.error().message().find("encoder.layer.0.intermediate.dense.weight\" is 1536 x 384"),
            std::string::npos)
      << weights.error().message();
}

TEST(weights, that_lack_a_layer_are_refused_by_name) {
  auto config = read_model_config(model_folder());
  ASSERT_TRUE(config) << config.error().message();
  config->layers = 7;
  const auto weights = Weights::load(model_folder(), *config, Numbers::fp32);
  ASSERT_FALSE(weights);
  EXPECT_NE(weights.error().message().find("encoder.layer.6."), std::string::npos)
      << weights.error().message();
}

}  // namespace
}  // namespace embedrouter::inference
