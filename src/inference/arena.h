#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace embedrouter::inference {

// Memory for what products read and write: each piece begins with a cache line, holds zeros, and lies in
// pages of 2 MiB where the system has them. A product touches more small pages than a CPU remembers the
// places of: large ones made it 5 to 20 % faster. Freed as a whole. Not thread-safe.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  // May throw bad_alloc.
  std::byte* allocate(std::size_t bytes);
  template <class T>
  T* allocate_array(std::size_t count) {
    return reinterpret_cast<T*>(allocate(count * sizeof(T)));
  }
  const float* copy(std::span<const float> from);

 private:
  struct Mapping {
    void* address;
    std::size_t size;
  };
  std::vector<Mapping> mappings_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace embedrouter::inference
