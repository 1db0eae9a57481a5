#pragma once
#include <chrono>

namespace embedrouter {

// Time is injected: nothing else in src/ calls a system clock. Thread-safe.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  using Wall = std::chrono::system_clock::time_point;

  virtual ~Clock() = default;
  virtual Steady now() const = 0;  // for deadlines and durations
  virtual Wall wall() const = 0;   // for dates people read
};

class SystemClock final : public Clock {
 public:
  Steady now() const override { return std::chrono::steady_clock::now(); }
  Wall wall() const override { return std::chrono::system_clock::now(); }
};

// Moved by hand, in tests. Not thread-safe.
class ManualClock final : public Clock {
 public:
  Steady now() const override { return steady_; }
  Wall wall() const override { return wall_; }
  void advance(std::chrono::nanoseconds by) {
    steady_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(by);
    wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
  }
  void set_wall(Wall wall) { wall_ = wall; }

 private:
  Steady steady_{std::chrono::hours(1)};
  Wall wall_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace embedrouter
