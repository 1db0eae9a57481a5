#include "inference/model_facts.h"

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <utility>

#include "inference/usable_cpus.h"
#include "inference/weights.h"

namespace embedrouter::inference {
namespace {

constexpr std::uint32_t kLeastTokens = 3;  // a text of one token, between the special ones

// What is not in the weights but changes vectors, where it is not the usual.
std::string space_suffix(const ModelConfig& config) {
  static constexpr std::array<const char*, 6> kNames{"-cls",      "-max",          "",
                                                     "-meansqrt", "-weightedmean", "-last"};
  return std::string(kNames[static_cast<std::size_t>(config.pooling)]) + (config.normalizes ? "" : "-raw") +
         (config.pools_prompt ? "" : "-unprompted");
}

const char* name_of(Numbers numbers) {
  switch (numbers) {
    case Numbers::bf16:
      return "bf16";
    case Numbers::int8:
      return "int8";
    case Numbers::fp32:
      break;
  }
  return "fp32";
}

// Of a matrix of weights, with the scales of int8.
std::uint64_t packed_bytes(std::uint64_t weights, Numbers numbers) {
  switch (numbers) {
    case Numbers::bf16:
      return weights * sizeof(std::uint16_t);
    case Numbers::int8:
      return weights + weights / kInt8Group * sizeof(float);
    case Numbers::fp32:
      break;
  }
  return weights * sizeof(float);
}

// Of the weights as they are kept: the tables of words and positions in the file or as floats, the matrices
// packed. And of what the workers hold of a chunk: the states, their copy in bf16, and four rows of numbers
// for the attention.
std::uint64_t most_bytes(const ModelConfig& config, Numbers numbers, const ModelFacts& facts) {
  const std::uint64_t width = config.width;
  const std::uint64_t tables = (std::uint64_t{config.vocabulary} + config.position_rows) * width;
  const std::uint64_t layer = 4 * width * width + 2 * width * config.inner_width;
  std::uint64_t behind = 0;
  for (const DenseConfig& dense : config.dense) behind += std::uint64_t{dense.in} * dense.out;
  const std::uint64_t each = numbers == Numbers::bf16 ? sizeof(std::uint16_t) : sizeof(float);
  const std::uint64_t rows = std::max<std::uint64_t>(kChunkTokens, facts.max_tokens) * facts.threads;
  const std::uint64_t row = width * (sizeof(float) + sizeof(std::uint16_t) + 4 * each);
  return (tables + behind) * sizeof(float) + config.layers * packed_bytes(layer, numbers) + rows * row;
}

}  // namespace

Result<Numbers> choose_numbers(Precision precision) {
  constexpr auto kBf16 = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  const bool fast = (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kBf16) == kBf16;
  if (precision == Precision::bf16 && !fast) {
    return fail(
        ErrorCode::internal,
        "precision bf16 needs a CPU with AVX512-bf16 or AMX, which this one lacks; use \"auto\" or \"fp32\"");
  }
  if (precision == Precision::int8) return Numbers::int8;
  return fast && precision != Precision::fp32 ? Numbers::bf16 : Numbers::fp32;
}

Result<ModelFacts> describe(const ModelOptions& options, const ModelConfig& config, Numbers numbers,
                            const std::string& digest) {
  ModelFacts facts;
  facts.width = config.output_width();
  facts.normalized = config.normalizes;
  facts.symmetric =
      std::ranges::all_of(config.prompts, [](const auto& prompt) { return prompt.second.empty(); });
  facts.input_types = {"search_query", "search_document", "query", "document", "passage"};
  for (const auto& [name, prompt] : config.prompts) {
    if (std::ranges::find(facts.input_types, name) == facts.input_types.end())
      facts.input_types.push_back(name);
  }
  facts.max_tokens =
      options.max_tokens == 0 ? config.max_tokens : std::min(options.max_tokens, config.positions());
  if (facts.max_tokens < kLeastTokens) {
    return fail(ErrorCode::internal,
                "the token limit of the embedded model must be at least " + std::to_string(kLeastTokens));
  }
  facts.layers = config.layers;
  facts.threads = options.threads == 0 ? usable_cpus() : options.threads;
  facts.precision = name_of(numbers);
  facts.space = options.name + "#" + facts.precision + "-" + digest + space_suffix(config);
  return facts;
}

Result<Inspection> LocalModel::inspect(const ModelOptions& options) {
  const auto numbers = choose_numbers(options.precision);
  if (!numbers) return fail(numbers.error());
  const auto config = read_model_config(options.folder);
  if (!config) return fail(config.error());
  const auto digest = Weights::digest_of(options.folder, *config);
  if (!digest) return fail(digest.error());
  auto facts = describe(options, *config, *numbers, *digest);
  if (!facts) return fail(std::move(facts).error());
  const std::uint64_t bytes = most_bytes(*config, *numbers, *facts);
  return Inspection{*std::move(facts), bytes};
}

}  // namespace embedrouter::inference
