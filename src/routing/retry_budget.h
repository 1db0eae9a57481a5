#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace embedrouter::routing {

// Keeps retries from multiplying the load on an endpoint that already fails: in any ten seconds at most
// kFloor of them and a fifth of the attempts. Thread-safe.
class RetryBudget {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::uint64_t kFloor = 10;
  static constexpr std::uint64_t kAttemptsPerRetry = 5;

  // Takes one, if there is one. `attempts`: of the last kWindow.
  bool take(Time now, std::uint64_t attempts) {
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    const std::lock_guard lock(mutex_);
    std::uint64_t taken = 0;
    for (const Second& slot : seconds_)
      if (slot.at > second - kWindow.count()) taken += slot.retries;
    if (taken >= kFloor + attempts / kAttemptsPerRetry) return false;
    Second& slot = seconds_[static_cast<std::size_t>(second) % seconds_.size()];
    if (slot.at != second) slot = {.at = second};
    ++slot.retries;
    return true;
  }

 private:
  struct Second {
    std::int64_t at = -1'000;
    std::uint64_t retries = 0;
  };
  std::mutex mutex_;
  std::array<Second, kWindow.count()> seconds_;
};

}  // namespace embedrouter::routing
