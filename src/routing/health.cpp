#include "routing/health.h"

#include <algorithm>
#include <array>

namespace embedrouter::routing {
namespace {

using Milliseconds = std::chrono::milliseconds;

// Doubled at each time after the first, at most `longest`.
Milliseconds backed_off(Milliseconds first, std::uint32_t times, Milliseconds longest) {
  return std::min<Milliseconds>(longest, first * (1LL << std::min<std::uint32_t>(times, 20)));
}

// Four to six fifths of it.
Milliseconds jittered(Milliseconds time, Random& random) {
  return time * 4 / 5 + Milliseconds(random.below(static_cast<std::uint64_t>(time.count()) * 2 / 5 + 1));
}

}  // namespace

std::string_view name_of(Standing standing) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"stable", "unsteady", "cooling", "ejected"};
  return kNames[static_cast<std::size_t>(standing)];
}

std::string_view name_of(Health::State state) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"closed", "half_open", "open"};
  return kNames[static_cast<std::size_t>(state)];
}

std::optional<Health::Change> Health::succeed(Time now, Time began) {
  if (!troubled_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const bool closes = open_;
  if (closes && began < ejected_at_) return std::nullopt;
  failures_in_a_row_ = 0;
  probe_until_ = {};
  // It said how long it wants to be left alone; one answer does not take that back.
  if (now < cooling_until_) return std::nullopt;
  coolings_ = 0;
  open_ = false;
  ejections_ = 0;
  if (closes) outage_until_ = {};  // it proved itself
  if (now >= outage_until_) troubled_.store(false, std::memory_order_release);
  if (!closes) return std::nullopt;
  return Change{State::closed};
}

std::optional<Health::Change> Health::fail(Time now, const Error& error,
                                           embed::EndpointStatistics::Counts recent, Random& random,
                                           Time began) {
  const embed::Outcome outcome = embed::outcome_of(error);
  if (outcome == embed::Outcome::success || outcome == embed::Outcome::uncounted) {
    give_up();
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  troubled_.store(true, std::memory_order_release);
  if (outcome == embed::Outcome::rate_limited) {
    cool(now, error, random);
    return std::nullopt;
  }
  outage_until_ = now + kOutage;
  ++failures_in_a_row_;
  if (open_) {
    // What was under way when the breaker opened, or was asked because all are out, does not lengthen it.
    if (now < ejected_until_ || began < ejected_at_) return std::nullopt;
    return eject(now, random);
  }
  const bool mostly =
      recent.attempts() >= kEnoughAttempts &&
      static_cast<double>(recent.failures) >= kFailureShare * static_cast<double>(recent.attempts());
  if (failures_in_a_row_ < kFailuresInARow && !mostly) return std::nullopt;
  return eject(now, random);
}

void Health::give_up() {
  if (!troubled_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  probe_until_ = {};
}

Health::Change Health::eject(Time now, Random& random) {
  const Milliseconds lasts = jittered(backed_off(kFirstEjection, ejections_, kLongestEjection), random);
  ++ejections_;
  open_ = true;
  ejected_at_ = now;
  ejected_until_ = now + lasts;
  probe_until_ = {};
  return {State::open, lasts};
}

void Health::cool(Time now, const Error& error, Random& random) {
  probe_until_ = {};
  const Milliseconds wait = error.retry_after()
                                ? std::min<Milliseconds>(*error.retry_after(), kLongestCooling)
                                : jittered(backed_off(kShortCooling, coolings_, kLongestCooling), random);
  if (!error.retry_after()) ++coolings_;
  cooling_until_ = std::max(cooling_until_, now + wait);
}

Health::State Health::state_at(Time now) const {
  if (!open_) return State::closed;
  return now < ejected_until_ ? State::open : State::half_open;
}

Standing Health::standing_at(Time now) const {
  const State state = state_at(now);
  if (state == State::open || (state == State::half_open && now < probe_until_)) return Standing::ejected;
  if (now < cooling_until_) return Standing::cooling;
  // One that is to prove itself is asked like a stable one, or it would never come back where others are.
  if (state == State::half_open) return Standing::stable;
  return now < outage_until_ ? Standing::unsteady : Standing::stable;
}

Standing Health::standing(Time now) const {
  if (!troubled_.load(std::memory_order_acquire)) return Standing::stable;
  const std::lock_guard lock(mutex_);
  return standing_at(now);
}

bool Health::admit(Time now) {
  if (!troubled_.load(std::memory_order_acquire)) return true;
  const std::lock_guard lock(mutex_);
  if (state_at(now) != State::half_open) return true;
  if (now < probe_until_) return false;
  probe_until_ = now + kProbeTime;
  return true;
}

Health::Snapshot Health::snapshot(Time now) const {
  const std::lock_guard lock(mutex_);
  const Standing standing = standing_at(now);
  return {state_at(now), standing, standing == Standing::cooling ? cooling_until_ : ejected_until_,
          failures_in_a_row_};
}

}  // namespace embedrouter::routing
