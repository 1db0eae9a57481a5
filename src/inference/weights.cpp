#include "inference/weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/sha256.h"

namespace embedrouter::inference {
namespace {

// What a family calls its tensors.
struct Names {
  const char* layer;  // and the number
  const char *query, *key, *value, *attention_out, *after_attention, *inner, *inner_out, *after_inner;
};

const Names& names_of(Family family) {
  static constexpr Names kBert{
      "encoder.layer.",        ".attention.self.query",   ".attention.self.key",
      ".attention.self.value", ".attention.output.dense", ".attention.output.LayerNorm",
      ".intermediate.dense",   ".output.dense",           ".output.LayerNorm"};
  static constexpr Names kMpnet{"encoder.layer.",      ".attention.attn.q", ".attention.attn.k",
                                ".attention.attn.v",   ".attention.attn.o", ".attention.LayerNorm",
                                ".intermediate.dense", ".output.dense",     ".output.LayerNorm"};
  static constexpr Names kDistilbert{"transformer.layer.", ".attention.q_lin",   ".attention.k_lin",
                                     ".attention.v_lin",   ".attention.out_lin", ".sa_layer_norm",
                                     ".ffn.lin1",          ".ffn.lin2",          ".output_layer_norm"};
  switch (family) {
    case Family::distilbert:
      return kDistilbert;
    case Family::mpnet:
      return kMpnet;
    case Family::bert:
      break;
  }
  return kBert;
}

// Reads named tensors one after the other and keeps the first failure, so that a layer can be read without a
// check per line.
class Reader {
 public:
  Reader(const ModelFiles& files, Arena& arena) : files_(files), arena_(arena) {
    constexpr std::array<std::string_view, 4> kPrefixes{"bert.", "roberta.", "mpnet.", "distilbert."};
    for (const std::string_view prefix : kPrefixes) {
      if (files.find(std::string(prefix) + "embeddings.word_embeddings.weight") != nullptr) prefix_ = prefix;
    }
  }

  Tensor tensor(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    auto found = files_.numbers(prefix_ + name, shape);
    if (found) return **found;
    note(std::move(found).error());
    return {};
  }
  std::vector<float> numbers(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    auto found = files_.floats(prefix_ + name, shape);
    if (found) return std::move(*found);
    note(std::move(found).error());
    return {};
  }
  // Old files call the two gamma and beta.
  Norm norm(const std::string& name, std::uint32_t width) {
    const bool old = files_.find(prefix_ + name + ".gamma") != nullptr;
    return {numbers(name + (old ? ".gamma" : ".weight"), {width}),
            numbers(name + (old ? ".beta" : ".bias"), {width})};
  }
  PackedDense dense(const std::string& name, const Dense& product) {
    const auto& shape = product.shape();
    const auto weights = numbers(name + ".weight", {shape.out, shape.in});
    const auto bias = numbers(name + ".bias", {shape.out});
    return ok() ? product.pack(weights, bias, arena_) : PackedDense{};
  }
  // Queries, keys and values as one product.
  PackedDense attention(const std::string& layer, const Names& names, const Dense& product,
                        std::uint32_t width) {
    std::vector<float> weights, bias;
    weights.reserve(std::size_t{3} * width * width);
    for (const char* part : {names.query, names.key, names.value}) {
      const auto w = numbers(layer + part + ".weight", {width, width});
      const auto b = numbers(layer + part + ".bias", {width});
      weights.insert(weights.end(), w.begin(), w.end());
      bias.insert(bias.end(), b.begin(), b.end());
    }
    return ok() ? product.pack(weights, bias, arena_) : PackedDense{};
  }

  bool ok() const noexcept { return outcome_.has_value(); }
  Error error() && { return std::move(outcome_).error(); }

 private:
  void note(Error error) {
    if (ok()) outcome_ = fail(std::move(error));
  }

  const ModelFiles& files_;
  Arena& arena_;
  std::string prefix_;
  Result<void> outcome_;
};

void read_embeddings(Reader& reader, Weights& weights) {
  const ModelConfig& c = weights.config;
  weights.words = reader.tensor("embeddings.word_embeddings.weight", {c.vocabulary, c.width});
  weights.positions = reader.numbers("embeddings.position_embeddings.weight", {c.position_rows, c.width});
  std::vector<float> types(c.width);
  if (c.token_types != 0)
    types = reader.numbers("embeddings.token_type_embeddings.weight", {c.token_types, c.width});
  weights.after_embedding = reader.norm("embeddings.LayerNorm", c.width);
  if (!reader.ok()) return;
  for (std::size_t i = 0; i < weights.positions.size(); ++i) weights.positions[i] += types[i % c.width];
}

void read_layers(Reader& reader, Weights& weights) {
  const Names& names = names_of(weights.config.family);
  for (std::uint32_t l = 0; l < weights.config.layers && reader.ok(); ++l) {
    const std::string name = names.layer + std::to_string(l);
    EncoderLayer layer;
    layer.qkv = reader.attention(name, names, *weights.qkv, weights.config.width);
    layer.attention_out = reader.dense(name + names.attention_out, *weights.attention_out);
    layer.inner = reader.dense(name + names.inner, *weights.inner);
    layer.inner_out = reader.dense(name + names.inner_out, *weights.inner_out);
    layer.after_attention = reader.norm(name + names.after_attention, weights.config.width);
    layer.after_inner = reader.norm(name + names.after_inner, weights.config.width);
    weights.layers.push_back(std::move(layer));
  }
}

constexpr std::size_t kReadBehind = 16;  // floats, see DistanceBias

std::size_t distance_stride(const ModelConfig& config) {
  return std::size_t{2} * config.positions() - 1 + kReadBehind;
}

// The bucket of a key that is `distance` behind the query: near ones have their own, farther ones share, on a
// logarithmic scale that ends at 128. In floats, as the reference does it.
std::uint32_t bucket_of(std::int64_t distance, std::uint32_t buckets) {
  const std::uint32_t half = buckets / 2, exact = half / 2;
  const std::uint32_t side = distance > 0 ? half : 0;
  const auto far = static_cast<std::uint32_t>(std::abs(distance));
  if (far < exact) return side + far;
  const float scaled = std::log(static_cast<float>(far) / static_cast<float>(exact)) /
                       static_cast<float>(std::log(128.0 / exact)) * static_cast<float>(half - exact);
  return side + std::min(exact + static_cast<std::uint32_t>(scaled), half - 1);
}

void read_distances(Reader& reader, Weights& weights) {
  const ModelConfig& c = weights.config;
  if (c.distance_buckets == 0) return;
  const auto table = reader.numbers("encoder.relative_attention_bias.weight", {c.distance_buckets, c.heads});
  if (!reader.ok()) return;
  constexpr float kLog2E = 1.4426950408889634F;  // the kernels' softmax works in powers of two
  weights.distances.assign(c.heads * distance_stride(c), 0.0F);
  const std::int64_t most = std::int64_t{c.positions()} - 1;
  for (std::uint32_t h = 0; h < c.heads; ++h) {
    float* row = weights.distances.data() + h * distance_stride(c);
    for (std::int64_t d = -most; d <= most; ++d)
      row[d + most] = table[bucket_of(d, c.distance_buckets) * c.heads + h] * kLog2E;
  }
}

// The digest of weights with those of a layer behind them.
std::string together(const std::string& digest, const ModelFiles& layer) {
  const Sha256 both = sha256(digest + layer.digest());
  return to_hex(std::span(both).first(4));
}

Result<DenseLayer> read_dense(const std::filesystem::path& folder, const DenseConfig& config,
                              std::string& digest) {
  const auto files = ModelFiles::open(folder / config.folder);
  if (!files) return fail(files.error());
  const auto weights = files->floats("linear.weight", {config.out, config.in});
  if (!weights) return fail(weights.error());
  DenseLayer layer;
  layer.in = config.in;
  layer.out = config.out;
  layer.activation = config.activation;
  layer.weights.resize(weights->size());
  for (std::size_t o = 0; o < config.out; ++o) {
    for (std::size_t i = 0; i < config.in; ++i)
      layer.weights[i * config.out + o] = (*weights)[o * config.in + i];
  }
  layer.bias.resize(config.out);
  if (config.bias) {
    auto bias = files->floats("linear.bias", {config.out});
    if (!bias) return fail(std::move(bias).error());
    layer.bias = std::move(*bias);
  }
  digest = together(digest, *files);
  return layer;
}

}  // namespace

Result<std::unique_ptr<const Weights>> Weights::load(const std::filesystem::path& folder,
                                                     const ModelConfig& config, Numbers numbers,
                                                     const Kernels& kernels) {
  auto files = ModelFiles::open(folder / config.encoder_folder);
  if (!files) return fail(std::move(files).error());
  auto weights = std::make_unique<Weights>();
  weights->config = config;
  weights->numbers = numbers;
  weights->kernels = &kernels;
  weights->files = std::move(*files);
  weights->digest = weights->files.digest();
  Reader reader(weights->files, weights->arena);
  const OneThreadTeam alone;
  try {
    weights->engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
    const auto product = [&](std::uint32_t in, std::uint32_t out, Finish finish) {
      return make_dense(weights->engine, kernels, DenseShape{in, out, finish, numbers});
    };
    const Finish activation = config.activation == Activation::relu        ? Finish::relu
                              : config.activation == Activation::gelu_tanh ? Finish::gelu_tanh
                                                                           : Finish::gelu;
    weights->qkv = product(config.width, 3 * config.width, Finish::none);
    weights->attention_out = product(config.width, config.width, Finish::add);
    weights->inner = product(config.width, config.inner_width, activation);
    weights->inner_out = product(config.inner_width, config.width, Finish::add);
    read_embeddings(reader, *weights);
    read_distances(reader, *weights);
    read_layers(reader, *weights);
  } catch (const dnnl::error& error) {
    return fail(ErrorCode::internal, std::string("oneDNN cannot prepare the model: ") + error.what());
  }
  if (!reader.ok()) return fail(std::move(reader).error());
  for (const DenseConfig& dense : config.dense) {
    auto layer = read_dense(folder, dense, weights->digest);
    if (!layer) return fail(std::move(layer).error());
    weights->after_pooling.push_back(std::move(*layer));
  }
  return weights;
}

DistanceBias Weights::distance_bias() const noexcept {
  if (distances.empty()) return {};
  return {distances.data() + config.positions() - 1, distance_stride(config)};
}

Result<std::string> Weights::digest_of(const std::filesystem::path& folder, const ModelConfig& config) {
  const auto encoder = ModelFiles::open(folder / config.encoder_folder);
  if (!encoder) return fail(encoder.error());
  std::string digest = encoder->digest();
  for (const DenseConfig& dense : config.dense) {
    const auto files = ModelFiles::open(folder / dense.folder);
    if (!files) return fail(files.error());
    digest = together(digest, *files);
  }
  return digest;
}

}  // namespace embedrouter::inference
