#include "inference/encoder.h"

#include <algorithm>
#include <utility>

namespace embedrouter::inference {
namespace {

// Of those between the pooling and the result.
std::size_t widest_vector(const Weights& weights) {
  std::uint32_t widest = weights.config.width;
  for (const DenseLayer& layer : weights.after_pooling) widest = std::max(widest, layer.out);
  return widest;
}

// Calls `step(first_row, rows)` for blocks of about equal size, since a small last block would waste the
// product on few rows; stops when one returns false.
template <class Step>
bool each_block(std::uint32_t rows, Step step) {
  const std::uint32_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const std::uint32_t size = blocks == 0 ? 0 : padded_rows((rows + blocks - 1) / blocks);
  for (std::uint32_t row = 0; row < rows; row += size) {
    if (!step(row, std::min(size, rows - row))) return false;
  }
  return true;
}

}  // namespace

// Rows behind the last one may be computed too: they must hold numbers, as the arena does.
Encoder::Encoder(const Weights& weights, std::uint32_t chunk_tokens)
    : weights_(weights),
      kernels_(*weights.kernels),
      number_bytes_(weights.numbers == Numbers::bf16 ? sizeof(Bf16) : sizeof(float)),
      to_qkv_(weights.qkv->lane(arena_)),
      to_attention_out_(weights.attention_out->lane(arena_)),
      to_inner_(weights.inner->lane(arena_)),
      to_inner_out_(weights.inner_out->lane(arena_)) {
  const ModelConfig& config = weights.config;
  const std::size_t rows = padded_rows(chunk_tokens);
  states_ = arena_.allocate_array<float>(rows * config.width);
  if (weights.numbers == Numbers::bf16) narrow_ = arena_.allocate(rows * config.width * sizeof(Bf16));
  qkv_ = arena_.allocate(rows * 3 * config.width * number_bytes_);
  attended_ = arena_.allocate(rows * config.width * number_bytes_);
  inner_ = arena_.allocate(std::size_t{padded_rows(kBlockRows)} * config.inner_width * number_bytes_);
  heads_ = arena_.allocate_array<float>(
      attention_scratch(std::min(chunk_tokens, config.positions()), config.head_width()));
  pooled_ = arena_.allocate_array<float>(2 * widest_vector(weights));
}

bool Encoder::run(std::span<const Sequence> sequences) {
  std::uint32_t rows = 0;
  for (const Sequence& sequence : sequences) rows += static_cast<std::uint32_t>(sequence.ids.size());
  embed(sequences);
  for (const EncoderLayer& layer : weights_.layers) {
    if (!project(layer, rows)) return false;
    attend(sequences);
    if (!transform(layer, rows)) return false;
  }
  const std::size_t width = weights_.config.width;
  const float* state = states_;
  for (const Sequence& sequence : sequences) {
    finish(sequence, state);
    state += sequence.ids.size() * width;
  }
  return true;
}

void Encoder::finish(const Sequence& sequence, const float* states) {
  const ModelConfig& config = weights_.config;
  const std::size_t count = sequence.ids.size();
  if (config.pooling == Pooling::mean && config.normalizes && config.dense.empty() &&
      sequence.unpooled == 0) {
    kernels_.mean_unit(states, count, config.width, sequence.out);
    return;
  }
  float* from = pooled_;
  float* to = from + widest_vector(weights_);
  pool(config.pooling, states, count, sequence.unpooled, config.width, from);
  std::size_t width = config.width;
  for (const DenseLayer& layer : weights_.after_pooling) {
    layer.run({from, width}, to);
    std::swap(from, to);
    width = layer.out;
  }
  if (config.normalizes) make_unit({from, width});
  std::copy_n(from, width, sequence.out);
}

void Encoder::embed(std::span<const Sequence> sequences) {
  const std::size_t width = weights_.config.width;
  float* state = states_;
  std::uint32_t rows = 0;
  const ModelConfig& config = weights_.config;
  for (const Sequence& sequence : sequences) {
    std::uint32_t next = config.first_position;
    for (const std::uint32_t id : sequence.ids) {
      const float* position = weights_.positions.data() + (id == config.padding_id ? id : next++) * width;
      copy_floats(weights_.words, id * width, width, state);
      for (std::size_t i = 0; i < width; ++i) state[i] += position[i];
      state += width;
    }
    rows += static_cast<std::uint32_t>(sequence.ids.size());
  }
  normalise(weights_.after_embedding, 0, rows);
}

// The residual stream from `row` on, as products read it.
const void* Encoder::read_by_products(std::uint32_t row) const {
  const std::size_t at = row * std::size_t{weights_.config.width};
  if (weights_.numbers == Numbers::bf16) return narrow_ + at * sizeof(Bf16);
  return states_ + at;
}

bool Encoder::project(const EncoderLayer& layer, std::uint32_t rows) {
  const std::size_t width = weights_.config.width;
  return each_block(rows, [&](std::uint32_t row, std::uint32_t count) {
    return to_qkv_->run(layer.qkv, read_by_products(row), qkv_ + row * 3 * width * number_bytes_, count);
  });
}

void Encoder::attend(std::span<const Sequence> sequences) {
  const ModelConfig& config = weights_.config;
  const DistanceBias bias = weights_.distance_bias();
  float* scratch = heads_;
  std::size_t row = 0;
  for (const Sequence& sequence : sequences) {
    const std::byte* qkv = qkv_ + row * 3 * config.width * number_bytes_;
    std::byte* out = attended_ + row * config.width * number_bytes_;
    if (weights_.numbers == Numbers::bf16) {
      kernels_.attention_bf16(reinterpret_cast<const Bf16*>(qkv), sequence.ids.size(), config.heads,
                              config.head_width(), bias, reinterpret_cast<Bf16*>(out), scratch);
    } else {
      kernels_.attention_f32(reinterpret_cast<const float*>(qkv), sequence.ids.size(), config.heads,
                             config.head_width(), bias, reinterpret_cast<float*>(out), scratch);
    }
    row += sequence.ids.size();
  }
}

// Everything of a layer behind the attention, block by block, so that a block's rows stay in the cache.
bool Encoder::transform(const EncoderLayer& layer, std::uint32_t rows) {
  const std::size_t width = weights_.config.width;
  return each_block(rows, [&](std::uint32_t row, std::uint32_t count) {
    float* states = states_ + row * width;
    const std::byte* attended = attended_ + row * width * number_bytes_;
    if (!to_attention_out_->run(layer.attention_out, attended, states, count)) return false;
    normalise(layer.after_attention, row, count);
    if (!to_inner_->run(layer.inner, read_by_products(row), inner_, count)) return false;
    if (!to_inner_out_->run(layer.inner_out, inner_, states, count)) return false;
    normalise(layer.after_inner, row, count);
    return true;
  });
}

void Encoder::normalise(const Norm& norm, std::uint32_t row, std::uint32_t rows) {
  const std::size_t width = weights_.config.width;
  auto* copy = weights_.numbers == Numbers::bf16 ? reinterpret_cast<Bf16*>(narrow_) + row * width : nullptr;
  kernels_.layer_norm(states_ + row * width, rows, width, norm.gamma.data(), norm.beta.data(),
                      weights_.config.layer_norm_epsilon, copy);
}

}  // namespace embedrouter::inference
