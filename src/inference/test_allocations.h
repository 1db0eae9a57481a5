#pragma once
#include <cstdint>

namespace embedrouter::inference {

// Calls of operator new on this thread so far. The test program replaces the operator (test_allocations.cpp).
std::uint64_t allocations_of_this_thread() noexcept;

}  // namespace embedrouter::inference
