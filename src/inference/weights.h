#pragma once
#include <embedrouter/result.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "inference/arena.h"
#include "inference/dense.h"
#include "inference/kernels.h"
#include "inference/model_config.h"
#include "inference/model_files.h"
#include "inference/pooling.h"

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
  const Kernels* kernels = nullptr;
  dnnl::engine engine;
  std::unique_ptr<const Dense> qkv, attention_out, inner, inner_out;  // the products, one per shape
  Arena arena;                                                        // of the layers
  std::vector<EncoderLayer> layers;
  Tensor words;                  // [vocabulary][width], into `files`
  std::vector<float> positions;  // [position_rows][width], token type 0 added
  Norm after_embedding;
  std::vector<float> distances;  // [heads][distance_stride()]: see DistanceBias; empty: none
  std::vector<DenseLayer> after_pooling;
  std::string digest;  // 8 hex digits, see weights_digest
  ModelFiles files;

  // Reads the weights of the encoder that `config` describes, with or without the prefix of its family
  // ("bert."), and of the layers behind it.
  // The kernels are one of available_kernels().
  static Result<std::unique_ptr<const Weights>> load(const std::filesystem::path& folder,
                                                     const ModelConfig& config, Numbers numbers,
                                                     const Kernels& kernels = *available_kernels().back());

  // `digest` of what load() would read, from headers and samples of the files.
  static Result<std::string> digest_of(const std::filesystem::path& folder, const ModelConfig& config);

  // The table of distances for the kernels; empty if there is none.
  DistanceBias distance_bias() const noexcept;
};

}  // namespace embedrouter::inference
