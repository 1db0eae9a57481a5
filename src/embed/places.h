#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/task.h"
#include "embed/adaptive_limit.h"
#include "embedrouter/error.h"

namespace embedrouter::embed {

class Places;

// One call to an endpoint that may be under way. Given back when it ends.
class Place {
 public:
  Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  Place& operator=(Place&& other) noexcept { return std::swap(of_, other.of_), *this; }
  ~Place();

 private:
  friend Places;
  explicit Place(Places& of) : of_(&of) {}
  Places* of_;
};

// The calls to one endpoint that may be under way at a time, counted over all threads: as many as declared,
// or fewer where it answers 429 (AdaptiveLimit). Thread-safe: one short lock a call, and another for its
// outcome while there are fewer. Who waits gets a place in the order of waiting: a place that is given back,
// or comes back, wakes one, and nobody comes between.
class Places {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kLongestQueue = 1024;
  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

  // The declared number. Calls under way beyond a lower limit go on to their end.
  void set_limit(std::uint32_t limit);
  // The limit now, and whether it is below the declared one.
  std::uint32_t limit() const;
  bool lowered() const noexcept { return lowered_.load(std::memory_order_relaxed); }
  bool waited_for() const;

  // How a call that began at `began` and has its place still went; null: well. What was never sent, or is no
  // rate limit, changes nothing.
  void report(const Error* failure, Time began, Time now);

  // At once, or not at all.
  std::optional<Place> take();
  // Waits until one is free: nullopt at `deadline`, or when too many wait. A cancelled coroutine leaves the
  // queue.
  Task<std::optional<Place>> wait(Time deadline);

 private:
  friend Place;
  struct Waiter {
    Waiter(const Executor& executor, Time deadline) : timer(executor, deadline) {}
    Timer timer;  // cancelled by whoever grants
    bool granted = false;
  };
  class Turn;

  bool take_or_queue(const std::shared_ptr<Waiter>& waiter);
  bool leave(const std::shared_ptr<Waiter>& waiter);
  void give_back();
  void grant_free();

  mutable std::mutex mutex_;
  AdaptiveLimit limit_;
  std::atomic<bool> lowered_{false};
  std::uint32_t taken_ = 0;
  std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace embedrouter::embed
