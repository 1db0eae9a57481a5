#include "inference/encoder.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace embedrouter::inference {
namespace {

constexpr std::size_t kCacheLine = 64;

std::size_t largest_scratch(const Weights& weights) {
  return std::max({weights.qkv->scratch_bytes(), weights.attention_out->scratch_bytes(),
                   weights.inner->scratch_bytes(), weights.inner_out->scratch_bytes()}) +
         1;
}

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

void Encoder::Free::operator()(void* memory) const noexcept {
  std::free(memory);
}

Encoder::Memory Encoder::allocate(std::size_t bytes) {
  const std::size_t size = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kCacheLine, size));
  if (memory == nullptr) throw std::bad_alloc();
  // Rows behind the last one are computed too: they must hold numbers.
  std::memset(memory, 0, size);
  return Memory(memory);
}

Encoder::Encoder(const Weights& weights, const Kernels& kernels, std::uint32_t chunk_tokens)
    : weights_(weights),
      kernels_(kernels),
      number_bytes_(weights.numbers == Numbers::bf16 ? sizeof(Bf16) : sizeof(float)),
      scratch_(allocate(largest_scratch(weights))),
      to_qkv_(*weights.qkv, dnnl::stream(weights.engine), scratch_.get()),
      to_attention_out_(*weights.attention_out, dnnl::stream(weights.engine), scratch_.get()),
      to_inner_(*weights.inner, dnnl::stream(weights.engine), scratch_.get()),
      to_inner_out_(*weights.inner_out, dnnl::stream(weights.engine), scratch_.get()) {
  const ModelConfig& config = weights.config;
  const std::size_t rows = padded_rows(chunk_tokens);
  states_ = allocate(rows * config.width * sizeof(float));
  if (weights.numbers == Numbers::bf16) narrow_ = allocate(rows * config.width * sizeof(Bf16));
  qkv_ = allocate(rows * 3 * config.width * number_bytes_);
  attended_ = allocate(rows * config.width * number_bytes_);
  inner_ = allocate(std::size_t{padded_rows(kBlockRows)} * config.inner_width * number_bytes_);
  heads_ = allocate(attention_scratch(std::min(chunk_tokens, config.positions()), config.head_width()) *
                    sizeof(float));
  pooled_ = allocate(2 * widest_vector(weights) * sizeof(float));
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
  const auto* state = reinterpret_cast<const float*>(states_.get());
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
  auto* from = reinterpret_cast<float*>(pooled_.get());
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
  auto* state = reinterpret_cast<float*>(states_.get());
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

bool Encoder::project(const EncoderLayer& layer, std::uint32_t rows) {
  const std::size_t width = weights_.config.width;
  const std::byte* in = weights_.numbers == Numbers::bf16 ? narrow_.get() : states_.get();
  return each_block(rows, [&](std::uint32_t row, std::uint32_t count) {
    return to_qkv_.run(layer.qkv, in + row * width * number_bytes_,
                       qkv_.get() + row * 3 * width * number_bytes_, count);
  });
}

void Encoder::attend(std::span<const Sequence> sequences) {
  const ModelConfig& config = weights_.config;
  const DistanceBias bias = weights_.distance_bias();
  auto* scratch = reinterpret_cast<float*>(heads_.get());
  std::size_t row = 0;
  for (const Sequence& sequence : sequences) {
    const std::byte* qkv = qkv_.get() + row * 3 * config.width * number_bytes_;
    std::byte* out = attended_.get() + row * config.width * number_bytes_;
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
    std::byte* states = states_.get() + row * width * sizeof(float);
    const std::byte* in =
        weights_.numbers == Numbers::bf16 ? narrow_.get() + row * width * sizeof(Bf16) : states;
    if (!to_attention_out_.run(layer.attention_out, attended_.get() + row * width * number_bytes_, states,
                               count)) {
      return false;
    }
    normalise(layer.after_attention, row, count);
    if (!to_inner_.run(layer.inner, in, inner_.get(), count)) return false;
    if (!to_inner_out_.run(layer.inner_out, inner_.get(), states, count)) return false;
    normalise(layer.after_inner, row, count);
    return true;
  });
}

void Encoder::normalise(const Norm& norm, std::uint32_t row, std::uint32_t rows) {
  const std::size_t width = weights_.config.width;
  auto* copy =
      weights_.numbers == Numbers::bf16 ? reinterpret_cast<Bf16*>(narrow_.get()) + row * width : nullptr;
  kernels_.layer_norm(reinterpret_cast<float*>(states_.get()) + row * width, rows, width, norm.gamma.data(),
                      norm.beta.data(), weights_.config.layer_norm_epsilon, copy);
}

}  // namespace embedrouter::inference
