#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace embedrouter::inference {

inline constexpr std::size_t kCacheLine = 64;

struct FreeAligned {
  void operator()(void* memory) const noexcept { std::free(memory); }
};

// Memory that begins with a cache line.
using Aligned = std::unique_ptr<std::byte[], FreeAligned>;
using AlignedFloats = std::unique_ptr<float[], FreeAligned>;

// Zeroed. May throw bad_alloc.
template <class T>
std::unique_ptr<T[], FreeAligned> allocate_aligned(std::size_t count) {
  const std::size_t size = (count * sizeof(T) / kCacheLine + 1) * kCacheLine;
  auto* memory = static_cast<T*>(std::aligned_alloc(kCacheLine, size));
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, size);
  return std::unique_ptr<T[], FreeAligned>(memory);
}

inline AlignedFloats copy_aligned(std::span<const float> from) {
  AlignedFloats copy = allocate_aligned<float>(from.size());
  std::memcpy(copy.get(), from.data(), from.size_bytes());
  return copy;
}

}  // namespace embedrouter::inference
