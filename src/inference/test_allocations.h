#pragma once
// What tests do to and ask of operator new, which the test program replaces.
#include <cstddef>
#include <cstdint>

namespace embedrouter::inference {

// While it lives, one allocation by `new` fails with bad_alloc: the nth from now, from zero, of those that
// other threads than the one that made it ask for. One at a time; of tests.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::size_t nth);
  ~FailingAllocation() { end(); }
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  // From now on none fails. Whether one has.
  bool end();
};

// Calls of operator new on this thread so far.
std::uint64_t allocations_of_this_thread() noexcept;

}  // namespace embedrouter::inference
