// From text to vector, against the reference and at one instruction set: ctest runs this file once for each
// that the CPU has, by ONEDNN_MAX_CPU_ISA (CMakeLists.txt).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dnnl.hpp>
#include <future>

#include "inference/kernels.h"
#include "inference/local_model.h"
#include "inference/test_model.h"

namespace embedrouter::inference {
namespace {

struct Level {
  std::string_view name;
  dnnl_cpu_isa_t isa;
  std::size_t lanes;  // of our kernels at most
};
constexpr std::array kLevels{
    Level{"SSE41", dnnl_cpu_isa_sse41, 4},
    Level{"AVX", dnnl_cpu_isa_avx, 4},
    Level{"AVX2", dnnl_cpu_isa_avx2, 8},
    Level{"AVX2_VNNI", dnnl_cpu_isa_avx2_vnni, 8},
    Level{"AVX512_CORE", dnnl_cpu_isa_avx512_core, 16},
    Level{"AVX512_CORE_VNNI", dnnl_cpu_isa_avx512_core_vnni, 16},
    Level{"AVX512_CORE_BF16", dnnl_cpu_isa_avx512_core_bf16, 16},
    Level{"AVX512_CORE_AMX", dnnl_cpu_isa_avx512_core_amx, 16},
};

TEST(parity, g6_the_isa_limit_lowers_the_library_and_our_kernels_alike) {
  const auto effective = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  const auto has = [effective](const Level& level) {
    return (effective & static_cast<unsigned>(level.isa)) == static_cast<unsigned>(level.isa);
  };
  std::size_t lanes = 4;
  for (const Level& level : kLevels) lanes = has(level) ? std::max(lanes, level.lanes) : lanes;
  EXPECT_EQ(available_kernels().back()->lanes, lanes);
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (limit == nullptr) return;
  const auto* level = std::ranges::find(kLevels, limit, &Level::name);
  ASSERT_NE(level, kLevels.end()) << limit;
  EXPECT_EQ(effective, static_cast<unsigned>(level->isa)) << "the limit " << limit << " does not hold";
}

// Vectors of `texts`, `batch` texts a job.
std::vector<float> embed(LocalModel& model, const std::vector<std::string>& texts, std::size_t batch) {
  std::vector<float> all;
  for (std::size_t i = 0; i < texts.size(); i += batch) {
    // Shared: the model's thread is still inside set_value() when the wait ends.
    auto answered = std::make_shared<std::promise<Result<Vectors>>>();
    Job job{.texts = {texts.begin() + static_cast<std::ptrdiff_t>(i),
                      texts.begin() + static_cast<std::ptrdiff_t>(std::min(i + batch, texts.size()))},
            .truncate = true};
    const std::size_t count = job.texts.size();
    model.submit(std::move(job),
                 [answered](Result<Vectors> vectors) { answered->set_value(std::move(vectors)); });
    const auto vectors = answered->get_future().get();
    EXPECT_TRUE(vectors) << vectors.error().message();
    if (!vectors) break;
    all.insert(all.end(), vectors->values.get(), vectors->values.get() + count * vectors->width);
  }
  return all;
}

double least_cosine(std::span<const float> a, std::span<const float> b) {
  double least = 1;
  for (std::size_t at = 0; at < a.size(); at += kGoldenWidth)
    least = std::min(least, cosine(a.subspan(at, kGoldenWidth), b.subspan(at, kGoldenWidth)));
  return least;
}

TEST(parity, g6_a_thousand_texts_agree_with_the_reference_and_alone_with_batches_of_64) {
  const auto texts = golden_texts();
  const auto expected = golden_vectors();
  std::string before;
  for (const Precision precision : {Precision::fp32, Precision::automatic}) {
    auto model = LocalModel::load(
        {.folder = model_folder(), .precision = precision, .threads = 2, .max_tokens = kGoldenLimit});
    ASSERT_TRUE(model) << model.error().message();
    const std::string& chosen = (*model)->facts().precision;
    if (chosen == before) continue;  // fp32 is the fastest there is
    before = chosen;
    const auto alone = embed(**model, texts, 1), together = embed(**model, texts, 64);
    ASSERT_EQ(alone.size(), expected.size());
    ASSERT_EQ(together.size(), expected.size());
    EXPECT_GE(least_cosine(alone, together), 0.9999) << chosen;
    for (const auto* got : {&alone, &together}) {
      if (chosen == "fp32") {
        EXPECT_LE(max_difference(*got, expected), 1e-5);
      } else {
        EXPECT_GE(least_cosine(*got, expected), 0.9995) << chosen;
      }
    }
  }
}

}  // namespace
}  // namespace embedrouter::inference
