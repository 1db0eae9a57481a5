#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

#include "embed/batch_limits.h"

namespace embedrouter::embed {

// What an endpoint was seen to refuse below the limits it is declared to have. Forgotten after kHold, in case
// it takes more by then. Thread-safe: the members are read and written one by one, and a mixture of two
// lessons is as good as either.
class LearnedLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kHold{10};

  // At least 1 each.
  void lower_items(std::uint32_t items, Time now) { lower(items_, items, now); }
  void lower_tokens(std::uint32_t tokens, Time now) { lower(tokens_, tokens, now); }

  BatchLimits within(BatchLimits declared, Time now) const {
    if (until_.load(std::memory_order_relaxed) <= now.time_since_epoch().count()) return declared;
    narrow(declared.items, items_.load(std::memory_order_relaxed));
    narrow(declared.tokens, tokens_.load(std::memory_order_relaxed));
    return declared;
  }

 private:
  static void narrow(std::uint32_t& limit, std::uint32_t learned) {
    if (learned != 0 && (limit == 0 || learned < limit)) limit = learned;
  }
  void lower(std::atomic<std::uint32_t>& limit, std::uint32_t to, Time now) {
    if (until_.load(std::memory_order_relaxed) <= now.time_since_epoch().count()) {
      items_.store(0, std::memory_order_relaxed);
      tokens_.store(0, std::memory_order_relaxed);
    }
    limit.store(to, std::memory_order_relaxed);
    until_.store((now + kHold).time_since_epoch().count(), std::memory_order_relaxed);
  }

  std::atomic<std::uint32_t> items_{0}, tokens_{0};  // 0: nothing learned
  std::atomic<Time::rep> until_{0};
};

}  // namespace embedrouter::embed
