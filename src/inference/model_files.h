#pragma once
#include <embedrouter/result.h>

#include <filesystem>
#include <string>
#include <vector>

#include "inference/safetensors.h"

namespace embedrouter::inference {

// The weights of one folder: model.safetensors, or the files that model.safetensors.index.json names. The
// tensors point into the mapped files.
class ModelFiles {
 public:
  static Result<ModelFiles> open(const std::filesystem::path& folder);

  // Null if no file has it.
  const Tensor* find(std::string_view name) const;
  Result<const Tensor*> numbers(std::string_view name, std::initializer_list<std::uint64_t> shape) const;
  // All numbers of a tensor, which must be finite; the system may forget its pages then.
  Result<std::vector<float>> floats(std::string_view name, std::initializer_list<std::uint64_t> shape) const;

  // Eight hex digits that tell these weights from others, see weights_digest.
  std::string digest() const;

 private:
  struct Shard {
    MappedFile file;
    TensorDirectory directory;
  };
  Result<void> add(const std::filesystem::path& path);
  const Shard& shard_with(std::string_view name) const;

  std::vector<Shard> shards_;  // at least one
};

// Tells weights apart without reading all of them: SHA-256 over the file's size, its header and 64 samples of
// 4 KiB spread evenly over the data. Not proof against someone who edits the bytes between: the installer
// checks the whole file's.
std::string weights_digest(std::string_view file, std::string_view header);

}  // namespace embedrouter::inference
