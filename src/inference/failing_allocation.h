#pragma once
#include <cstddef>

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

}  // namespace embedrouter::inference
