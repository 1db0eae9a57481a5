#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inference/kernels.h"
#include "inference/weights.h"

namespace embedrouter::inference {

// One text of a chunk: its token ids, each below the vocabulary, between 1 and config.positions() of them;
// where its vector goes, config.output_width() floats; and how many tokens of a prompt are not pooled.
struct Sequence {
  std::span<const std::uint32_t> ids;
  float* out;
  std::uint32_t unpooled = 0;
};

// One thread's way through the model: chunks of texts whose tokens lie packed one behind the other, without
// padding. Holds all the memory a chunk needs, so that running allocates nothing of its own. One thread at a
// time; hold a OneThreadTeam.
class Encoder {
 public:
  // `chunk_tokens`: the most tokens of one run(). The weights must outlive the encoder. May throw
  // dnnl::error, bad_alloc.
  Encoder(const Weights& weights, const Kernels& kernels, std::uint32_t chunk_tokens);

  // Writes the vector of each text, pooled and finished as the model says. The lengths must sum to at most
  // chunk_tokens. False if the library fails, which leaves the vectors undefined.
  bool run(std::span<const Sequence> sequences);

 private:
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  using Memory = std::unique_ptr<std::byte[], Free>;
  static Memory allocate(std::size_t bytes);

  void embed(std::span<const Sequence> sequences);
  bool project(const EncoderLayer& layer, std::uint32_t rows);
  void attend(std::span<const Sequence> sequences);
  bool transform(const EncoderLayer& layer, std::uint32_t rows);
  void finish(const Sequence& sequence, const float* states);
  void normalise(const Norm& norm, std::uint32_t row, std::uint32_t rows);

  const Weights& weights_;
  const Kernels& kernels_;
  std::size_t number_bytes_;  // of an activation that a product reads
  Memory scratch_;            // of oneDNN
  Memory states_;             // float [chunk][width]: the residual stream
  Memory narrow_;             // the same as bf16; unused in fp32, where products read states_
  Memory qkv_;                // [chunk][3 * width]
  Memory attended_;           // [chunk][width]
  Memory inner_;              // [block][inner_width]
  Memory heads_;              // float, attention_scratch
  Memory pooled_;             // float [2][widest], from layer to layer behind the pooling
  Dense::Lane to_qkv_, to_attention_out_, to_inner_, to_inner_out_;
};

}  // namespace embedrouter::inference
