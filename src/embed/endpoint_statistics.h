#pragma once
// What the attempts on an endpoint have come to: the router orders by it, and the API shows it.

#include <embedrouter/error.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace embedrouter::embed {

// How an attempt counts for its endpoint (CONTRACT 6.2): rate limits are apart, and what the caller must mend
// or the router itself refused says nothing of the endpoint.
enum class Outcome : std::uint8_t { success, failure, rate_limited, uncounted };
Outcome outcome_of(const Error& error) noexcept;

// One endpoint's, over all threads. Thread-safe: one short lock a call. Bounded: a day of minutes with three
// counters each, half an hour of minutes with a histogram of latency and one of throughput, a minute of
// seconds. Nothing is allocated before the first attempt. Time is passed in and must not run backwards by
// more than a window.
class EndpointStatistics {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kLongestTimes{30};
  static constexpr std::chrono::minutes kLongestCounts{24 * 60};

  // `tokens`: of the answer. `took`: until the whole answer had passed the gate.
  void add_success(Time ended, std::chrono::nanoseconds took, std::uint64_t tokens);
  // An error whose outcome is `uncounted` leaves no trace.
  void add_error(Time ended, const Error& error);

  // Of the answers in the minutes of `window` (the current one and those before it; at most kLongestTimes).
  // `percentile` in [0, 1]. Within 7 % of the true value; nullopt where there are none.
  std::optional<double> latency_seconds(Time now, double percentile, std::chrono::minutes window) const;
  std::optional<double> tokens_per_second(Time now, double percentile, std::chrono::minutes window) const;

  struct Counts {
    std::uint64_t successes = 0, failures = 0, rate_limited = 0;
    std::uint64_t attempts() const noexcept { return successes + failures + rate_limited; }
  };
  // In `window`: by whole seconds up to a minute, by whole minutes above (at most kLongestCounts).
  Counts counts(Time now, std::chrono::seconds window) const;

  // Percent of the minutes of `window` in which at least 80 % of the attempts succeeded, of those minutes
  // with ten or more; rate limits are no attempts here. nullopt where there was no such minute.
  std::optional<double> uptime(Time now, std::chrono::minutes window) const;

 private:
  // The bits of a float order like its value: a bucket is its exponent and three bits behind it, so it is an
  // eighth of a power of two wide.
  struct Histogram {
    static constexpr std::size_t kBuckets = 256;  // 32 powers of two: from 2^-12 (0.24 ms) to 2^20
    std::array<std::uint32_t, kBuckets> count{};
    void add(double value) noexcept;
  };
  struct Tally {
    std::int64_t unit = -1;  // the minute or second since the clock's epoch that the counters are of
    std::uint32_t successes = 0, failures = 0, rate_limited = 0;
  };
  struct Times {
    std::int64_t minute = -1;
    Histogram seconds, rate;
  };
  struct State {
    std::array<Tally, 60> by_second;
    std::array<Tally, 24 * 60> by_minute;
    std::array<std::unique_ptr<Times>, 30> times;
  };

  State& state();
  void tally(Time at, std::uint32_t Tally::* counter);
  std::optional<double> percentile_of(Time now, double percentile, std::chrono::minutes window,
                                      Histogram Times::* member) const;

  mutable std::mutex mutex_;
  std::unique_ptr<State> state_;
};

}  // namespace embedrouter::embed
