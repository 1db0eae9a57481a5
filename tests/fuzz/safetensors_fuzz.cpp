// Weights files of any bytes: refused or read, never a read outside the file.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "inference/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Aligned as a mapped file is, and exactly as long.
  const std::unique_ptr<char[]> file(new char[size]);
  if (size != 0) std::memcpy(file.get(), data, size);
  const auto directory = embedrouter::inference::TensorDirectory::parse({file.get(), size});
  if (!directory) return 0;
  float total = 0;
  for (const char* name : {"a", "embeddings.word_embeddings.weight"}) {
    const auto* tensor = directory->find(name);
    if (tensor == nullptr || tensor->shape.size() != 2) continue;
    if (const auto numbers = directory->numbers(name, {tensor->shape[0], tensor->shape[1]})) {
      std::vector<float> floats((*numbers)->bytes.size() / (*numbers)->size_of_number);
      embedrouter::inference::copy_floats(**numbers, 0, floats.size(), floats.data());
      for (const float v : floats) total += v;
    }
  }
  volatile float used = total;
  static_cast<void>(used);
  return 0;
}
