#include "inference/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/sha256.h"

namespace embedrouter::inference {
namespace {

// Reads named tensors one after the other and keeps the first failure, so that a layer can be read without a
// check per line.
class Reader {
 public:
  Reader(const TensorDirectory& directory, const MappedFile& file) : directory_(directory), file_(file) {
    if (directory.find("bert.embeddings.word_embeddings.weight") != nullptr) prefix_ = "bert.";
  }

  std::span<const float> tensor(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    auto found = directory_.floats(prefix_ + name, shape);
    if (found) return *found;
    if (outcome_.has_value()) outcome_ = fail(std::move(found).error());
    return {};
  }
  // A copy of a tensor that must hold numbers only.
  std::vector<float> numbers(const std::string& name, std::initializer_list<std::uint64_t> shape) {
    const auto view = tensor(name, shape);
    if (!std::ranges::all_of(view, [](float v) { return std::isfinite(v); }) && outcome_.has_value()) {
      outcome_ =
          fail(ErrorCode::internal, "tensor \"" + prefix_ + name + "\" holds a value that is not a number; " +
                                        "the weights are damaged, fetch the model again");
    }
    std::vector<float> copy(view.begin(), view.end());
    release(view);
    return copy;
  }
  Norm norm(const std::string& name, std::uint32_t width) {
    return {numbers(name + ".weight", {width}), numbers(name + ".bias", {width})};
  }
  PackedDense dense(const std::string& name, const Dense& product) {
    const auto& shape = product.shape();
    const auto weights = numbers(name + ".weight", {shape.out, shape.in});
    const auto bias = numbers(name + ".bias", {shape.out});
    return ok() ? product.pack(weights, bias) : PackedDense{};
  }
  // Queries, keys and values as one product.
  PackedDense attention(const std::string& name, const Dense& product, std::uint32_t width) {
    std::vector<float> weights, bias;
    weights.reserve(std::size_t{3} * width * width);
    for (const char* part : {".query", ".key", ".value"}) {
      const auto w = numbers(name + part + ".weight", {width, width});
      const auto b = numbers(name + part + ".bias", {width});
      weights.insert(weights.end(), w.begin(), w.end());
      bias.insert(bias.end(), b.begin(), b.end());
    }
    return ok() ? product.pack(weights, bias) : PackedDense{};
  }
  void release(std::span<const float> view) const {
    file_.release({reinterpret_cast<const char*>(view.data()), view.size_bytes()});
  }

  bool ok() const noexcept { return outcome_.has_value(); }
  Error error() && { return std::move(outcome_).error(); }

 private:
  const TensorDirectory& directory_;
  const MappedFile& file_;
  std::string prefix_;
  Result<void> outcome_;
};

void read_embeddings(Reader& reader, Weights& weights) {
  const ModelConfig& c = weights.config;
  weights.words = reader.tensor("embeddings.word_embeddings.weight", {c.vocabulary, c.width});
  weights.positions = reader.numbers("embeddings.position_embeddings.weight", {c.positions, c.width});
  const auto types = reader.numbers("embeddings.token_type_embeddings.weight", {c.token_types, c.width});
  weights.after_embedding = reader.norm("embeddings.LayerNorm", c.width);
  if (!reader.ok()) return;
  for (std::size_t i = 0; i < weights.positions.size(); ++i) weights.positions[i] += types[i % c.width];
}

void read_layers(Reader& reader, Weights& weights) {
  for (std::uint32_t l = 0; l < weights.config.layers && reader.ok(); ++l) {
    const std::string name = "encoder.layer." + std::to_string(l);
    EncoderLayer layer;
    layer.qkv = reader.attention(name + ".attention.self", *weights.qkv, weights.config.width);
    layer.attention_out = reader.dense(name + ".attention.output.dense", *weights.attention_out);
    layer.inner = reader.dense(name + ".intermediate.dense", *weights.inner);
    layer.inner_out = reader.dense(name + ".output.dense", *weights.inner_out);
    layer.after_attention = reader.norm(name + ".attention.output.LayerNorm", weights.config.width);
    layer.after_inner = reader.norm(name + ".output.LayerNorm", weights.config.width);
    weights.layers.push_back(std::move(layer));
  }
}

// A failure names the file.
Result<TensorDirectory> directory_of(const MappedFile& file, const std::filesystem::path& folder) {
  auto directory = TensorDirectory::parse(file.bytes());
  if (directory) return directory;
  const std::string& why = directory.error().message();
  return fail(directory.error().code(), (folder / "model.safetensors").string() + ": " + why);
}

}  // namespace

Result<std::unique_ptr<const Weights>> Weights::load(const std::filesystem::path& folder,
                                                     const ModelConfig& config, Numbers numbers) {
  auto file = MappedFile::open(folder / "model.safetensors");
  if (!file) return fail(std::move(file).error());
  const auto directory = directory_of(*file, folder);
  if (!directory) return fail(directory.error());

  auto weights = std::make_unique<Weights>();
  weights->config = config;
  weights->numbers = numbers;
  Reader reader(*directory, *file);
  const OneThreadTeam alone;
  try {
    weights->engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
    const auto product = [&](std::uint32_t in, std::uint32_t out, Finish finish) {
      return std::make_unique<Dense>(weights->engine, DenseShape{in, out, finish, numbers});
    };
    weights->qkv = product(config.width, 3 * config.width, Finish::none);
    weights->attention_out = product(config.width, config.width, Finish::add);
    weights->inner = product(config.width, config.inner_width, Finish::gelu);
    weights->inner_out = product(config.inner_width, config.width, Finish::add);
    read_embeddings(reader, *weights);
    read_layers(reader, *weights);
  } catch (const dnnl::error& error) {
    return fail(ErrorCode::internal, std::string("oneDNN cannot prepare the model: ") + error.what());
  }
  if (!reader.ok()) return fail(std::move(reader).error());
  weights->digest = weights_digest(file->bytes(), directory->header());
  weights->file = std::move(*file);
  return weights;
}

std::string weights_digest(std::string_view file, std::string_view header) {
  constexpr std::size_t kSamples = 64, kSampleBytes = 4096;
  std::string read = std::to_string(file.size());
  read += header;
  const std::string_view data = file.substr(std::min(file.size(), 8 + header.size()));
  if (data.size() <= kSamples * kSampleBytes) {
    read += data;
  } else {
    const std::size_t range = data.size() - kSampleBytes;
    for (std::size_t i = 0; i < kSamples; ++i) read += data.substr(range * i / (kSamples - 1), kSampleBytes);
  }
  const Sha256 digest = sha256(read);
  return to_hex(std::span(digest).first(4));
}

Result<WeightsSummary> summarize_weights(const std::filesystem::path& folder) {
  const auto file = MappedFile::open(folder / "model.safetensors");
  if (!file) return fail(file.error());
  const auto directory = directory_of(*file, folder);
  if (!directory) return fail(directory.error());
  const std::size_t data = file->bytes().size() - directory->header().size();
  return WeightsSummary{weights_digest(file->bytes(), directory->header()), data / sizeof(float)};
}

}  // namespace embedrouter::inference
