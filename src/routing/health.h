#pragma once
// One endpoint's health: a circuit breaker and a cool-down, fed by the attempts of all threads
// (docs/health.md).

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "embed/endpoint_statistics.h"
#include "embedrouter/error.h"

namespace embedrouter::routing {

// What to think of an endpoint when a request is to be routed; the better, the smaller.
enum class Standing : std::uint8_t {
  stable,
  unsteady,  // an attempt failed in the last kOutage, or it is asked to prove itself: behind the stable ones
  cooling,   // it answered 429 and named a time, or none and gets kShortCooling: behind those
  ejected,   // it failed again and again: last
};
std::string_view name_of(Standing standing) noexcept;

// Thread-safe. A healthy endpoint costs one atomic load.
class Health {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kOutage{30};    // CONTRACT 6.2
  static constexpr std::uint32_t kFailuresInARow = 3;   // that eject
  static constexpr double kFailureShare = 0.5;          // of the attempts of the last kOutage: ejects too …
  static constexpr std::uint64_t kEnoughAttempts = 20;  // … of so many at least
  static constexpr std::chrono::seconds kFirstEjection{5};  // doubled at each that follows
  static constexpr std::chrono::seconds kLongestEjection{300};
  static constexpr std::chrono::seconds kShortCooling{1};  // doubled at each 429 without a hint
  static constexpr std::chrono::seconds kLongestCooling{60};
  static constexpr std::chrono::seconds kProbeTime{60};  // a probe without an outcome is given up

  // closed: asked as usual. open: ejected. half_open: the time is over, one request at a time may try it.
  enum class State : std::uint8_t { closed, half_open, open };

  struct Change {
    State to;
    std::chrono::milliseconds lasts{0};  // an ejection
  };

  // An attempt that began at `began` went well; kNow: it began after all that was told before. What was under
  // way when the endpoint was ejected proves nothing of it since. A Change if this closed the breaker.
  static constexpr Time kNow = Time::max();
  std::optional<Change> succeed(Time now, Time began = kNow);
  // An attempt failed. `recent`: the attempts of the last kOutage, this one included. `random` spreads the
  // return of endpoints that fell together. What says nothing of the endpoint changes nothing but that a
  // probe is over. A Change if this opened the breaker.
  std::optional<Change> fail(Time now, const Error& error, embed::EndpointStatistics::Counts recent,
                             Random& random, Time began = kNow);
  // An attempt ended without an outcome: its client left.
  void give_up();

  Standing standing(Time now) const;
  // Before an attempt: false if the endpoint may prove itself by one request at a time, and one is under way.
  bool admit(Time now);

  struct Snapshot {
    State state = State::closed;
    Standing standing = Standing::stable;
    Time until{};  // of the ejection or the cool-down
    std::uint32_t failures_in_a_row = 0;
  };
  Snapshot snapshot(Time now) const;

 private:
  State state_at(Time now) const;
  Standing standing_at(Time now) const;
  Change eject(Time now, Random& random);
  void cool(Time now, const Error& error, Random& random);

  mutable std::mutex mutex_;
  std::atomic<bool> troubled_{false};  // false: all below is as after a success
  std::uint32_t failures_in_a_row_ = 0;
  std::uint32_t ejections_ = 0, coolings_ = 0;  // without a success between
  bool open_ = false;
  Time ejected_at_{}, ejected_until_{}, cooling_until_{}, outage_until_{}, probe_until_{};
};

std::string_view name_of(Health::State state) noexcept;

}  // namespace embedrouter::routing
