#include "inference/test_allocations.h"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

namespace embedrouter::inference {
namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> to_come{kNever};  // until one fails
std::atomic<bool> has_failed{false};
thread_local bool spared = false;
thread_local std::uint64_t allocations = 0;

bool fails() noexcept {
  if (spared) return false;
  std::size_t left = to_come.load();
  do {
    if (left == kNever) return false;
  } while (!to_come.compare_exchange_weak(left, left == 0 ? kNever : left - 1));
  if (left == 0) has_failed = true;
  return left == 0;
}

}  // namespace

FailingAllocation::FailingAllocation(std::size_t nth) {
  spared = true;
  has_failed = false;
  to_come = nth;
}

bool FailingAllocation::end() {
  to_come = kNever;
  return has_failed;
}

std::uint64_t allocations_of_this_thread() noexcept {
  return allocations;
}

}  // namespace embedrouter::inference

// The array forms of the library call these; a sanitizer's nothrow form does not.
void* operator new(std::size_t size) {
  ++embedrouter::inference::allocations;
  void* const memory = embedrouter::inference::fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept try {
  return operator new(size);
} catch (const std::bad_alloc&) {
  return nullptr;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
