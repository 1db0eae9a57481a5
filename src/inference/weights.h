#pragma once
#include <embedrouter/result.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inference/dense.h"
#include "inference/model_config.h"
#include "inference/safetensors.h"

namespace embedrouter::inference {

struct Norm {
  std::vector<float> gamma, beta;
};

struct EncoderLayer {
  PackedDense qkv, attention_out, inner, inner_out;
  Norm after_attention, after_inner;
};

// The weights of an encoder in one precision, ready to run. Immutable, shared by the workers. The word table
// stays in the mapped file: only the rows that texts use become resident.
struct Weights {
  ModelConfig config;
  Numbers numbers = Numbers::fp32;
  dnnl::engine engine;
  std::unique_ptr<Dense> qkv, attention_out, inner, inner_out;  // the products, one per shape
  std::vector<EncoderLayer> layers;
  std::span<const float> words;  // [vocabulary][width], into `file`
  std::vector<float> positions;  // [positions][width], token type 0 added
  Norm after_embedding;
  std::string digest;  // 8 hex digits, see weights_digest
  MappedFile file;

  // Reads <folder>/model.safetensors, which must hold the tensors of a BERT encoder (with or without the
  // prefix "bert.").
  static Result<std::unique_ptr<const Weights>> load(const std::filesystem::path& folder,
                                                     const ModelConfig& config, Numbers numbers);
};

// Tells weights apart without reading all of them: SHA-256 over the file's size, its header and 64 samples of
// 4 KiB spread evenly over the data. Not proof against someone who edits the bytes between: the installer
// checks the whole file's.
std::string weights_digest(std::string_view file, std::string_view header);

// What is known of the weights of <folder> without reading them.
struct WeightsSummary {
  std::string digest;         // as Weights has it
  std::uint64_t numbers = 0;  // of all tensors
};
Result<WeightsSummary> summarize_weights(const std::filesystem::path& folder);

}  // namespace embedrouter::inference
