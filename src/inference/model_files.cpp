#include "inference/model_files.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/sha256.h"
#include "inference/config_file.h"

namespace embedrouter::inference {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kMostFiles = 128;

// The names of the files that hold a model in parts.
Result<std::set<std::string>> parse_index(std::string_view json) {
  const auto file = ConfigFile::parse(json, kIndex);
  if (!file) return fail(file.error());
  simdjson::dom::object map;
  if (file->root()["weight_map"].get_object().get(map) != simdjson::SUCCESS)
    return file->wrong("\"weight_map\" must be an object");
  std::set<std::string> names;
  for (const auto& [tensor, value] : map) {
    std::string_view name;
    if (value.get_string().get(name) != simdjson::SUCCESS || name.empty() || name.find('/') != name.npos)
      return file->wrong("\"weight_map\" must hold names of files in the same folder");
    names.emplace(name);
  }
  if (names.empty() || names.size() > kMostFiles)
    return file->wrong("\"weight_map\" must name 1 to " + std::to_string(kMostFiles) + " files");
  return names;
}

}  // namespace

Result<ModelFiles> ModelFiles::open(const fs::path& folder) {
  ModelFiles files;
  std::error_code error;
  if (fs::exists(folder / kWhole, error) || !fs::exists(folder / kIndex, error)) {
    if (!fs::exists(folder / kWhole, error) && fs::exists(folder / "pytorch_model.bin", error)) {
      return fail(ErrorCode::internal, (folder / "pytorch_model.bin").string() +
                                           " is not read, only safetensors are: fetch " + kWhole +
                                           ", or save the model again with it");
    }
    if (auto added = files.add(folder / kWhole); !added) return fail(std::move(added).error());
    return files;
  }
  const auto text = read_config_text(folder / kIndex);
  if (!text) return fail(text.error());
  const auto names = parse_index(*text);
  if (!names) return fail(names.error());
  for (const std::string& name : *names) {
    if (auto added = files.add(folder / name); !added) return fail(std::move(added).error());
  }
  return files;
}

Result<void> ModelFiles::add(const fs::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return fail(std::move(file).error());
  auto directory = TensorDirectory::parse(file->bytes());
  if (!directory) return fail(ErrorCode::internal, path.string() + ": " + directory.error().message());
  shards_.push_back({std::move(*file), std::move(*directory)});
  return {};
}

const ModelFiles::Shard& ModelFiles::shard_with(std::string_view name) const {
  for (const Shard& shard : shards_) {
    if (shard.directory.find(name) != nullptr) return shard;
  }
  return shards_.front();
}

const Tensor* ModelFiles::find(std::string_view name) const {
  return shard_with(name).directory.find(name);
}

Result<const Tensor*> ModelFiles::numbers(std::string_view name,
                                          std::initializer_list<std::uint64_t> shape) const {
  return shard_with(name).directory.numbers(name, shape);
}

Result<std::vector<float>> ModelFiles::floats(std::string_view name,
                                              std::initializer_list<std::uint64_t> shape) const {
  const auto tensor = numbers(name, shape);
  if (!tensor) return fail(tensor.error());
  std::vector<float> out((*tensor)->bytes.size() / (*tensor)->size_of_number);
  copy_floats(**tensor, 0, out.size(), out.data());
  shard_with(name).file.release((*tensor)->bytes);
  if (std::ranges::all_of(out, [](float v) { return std::isfinite(v); })) return out;
  return fail(ErrorCode::internal,
              "tensor \"" + std::string(name) +
                  "\" holds a value that is not a number; the weights are damaged, fetch "
                  "the model again");
}

std::string ModelFiles::digest() const {
  std::string all;
  for (const Shard& shard : shards_) all += weights_digest(shard.file.bytes(), shard.directory.header());
  if (shards_.size() == 1) return all;
  const Sha256 together = sha256(all);
  return to_hex(std::span(together).first(4));
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

}  // namespace embedrouter::inference
