#include "inference/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace embedrouter::inference {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kLargePage = std::size_t{2} << 20;
// Of address space: only what is used becomes memory, a large page at a time.
constexpr std::size_t kMapping = std::size_t{32} << 20;

}  // namespace

Arena::~Arena() {
  for (const Mapping& mapping : mappings_) ::munmap(mapping.address, mapping.size);
}

Arena::Arena(Arena&& other) noexcept
    : mappings_(std::move(other.mappings_)),
      next_(std::exchange(other.next_, nullptr)),
      left_(std::exchange(other.left_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(mappings_, other.mappings_);
  std::swap(next_, other.next_);
  std::swap(left_, other.left_);
  return *this;
}

std::byte* Arena::allocate(std::size_t bytes) {
  const std::size_t size = (bytes / kCacheLine + 1) * kCacheLine;
  if (size > left_) {
    mappings_.reserve(mappings_.size() + 1);
    const std::size_t room = std::max(kMapping, size) + kLargePage;
    void* address = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) throw std::bad_alloc();
    mappings_.push_back({address, room});
    const std::size_t skipped = -reinterpret_cast<std::uintptr_t>(address) % kLargePage;
    next_ = static_cast<std::byte*>(address) + skipped;
    left_ = room - skipped;
    ::madvise(next_, left_, MADV_HUGEPAGE);  // where it is refused the pages are small
  }
  left_ -= size;
  return std::exchange(next_, next_ + size);
}

const float* Arena::copy(std::span<const float> from) {
  auto* copy = allocate_array<float>(from.size());
  std::memcpy(copy, from.data(), from.size_bytes());
  return copy;
}

}  // namespace embedrouter::inference
