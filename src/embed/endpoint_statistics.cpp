#include "embed/endpoint_statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace embedrouter::embed {
namespace {

using Time = EndpointStatistics::Time;

constexpr std::uint64_t kEnoughAttempts = 10;  // of a minute that counts for uptime
constexpr double kGoodShare = 0.8;

constexpr int kFractionBits = 23 - 3;
constexpr float kSmallest = 0x1p-12F;
constexpr std::uint32_t kFirst = std::bit_cast<std::uint32_t>(kSmallest) >> kFractionBits;

float lower_edge(std::size_t bucket) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(kFirst + bucket) << kFractionBits);
}

template <class Unit>
std::int64_t unit_of(Time at) {
  return std::chrono::floor<Unit>(at.time_since_epoch()).count();
}

// The slot of `unit`, emptied if it was of an older one.
template <class Slots>
auto& slot_of(Slots& slots, std::int64_t unit) {
  auto& slot = slots[static_cast<std::size_t>(unit) % slots.size()];
  if (slot.unit != unit) slot = {.unit = unit};
  return slot;
}

// Calls `use` with each slot of the last `window` units, the current one included.
template <class Slots, class Use>
void each_slot(const Slots& slots, std::int64_t now, std::int64_t window, const Use& use) {
  const std::int64_t units = std::min(window, static_cast<std::int64_t>(slots.size()));
  for (std::int64_t unit = now - units + 1; unit <= now; ++unit) {
    const auto& slot = slots[static_cast<std::size_t>(unit) % slots.size()];
    if (slot.unit == unit) use(slot);
  }
}

}  // namespace

Outcome outcome_of(const Error& error) noexcept {
  if (error.unsent()) return Outcome::uncounted;
  if (error.code() == ErrorCode::upstream_rate_limited) return Outcome::rate_limited;
  return traits(error.code()).against_health ? Outcome::failure : Outcome::uncounted;
}

void EndpointStatistics::Histogram::add(double value) noexcept {
  const auto clamped = std::clamp(static_cast<float>(value), kSmallest, lower_edge(kBuckets - 1));
  ++count[(std::bit_cast<std::uint32_t>(clamped) >> kFractionBits) - kFirst];
}

EndpointStatistics::State& EndpointStatistics::state() {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  return *state_;
}

void EndpointStatistics::tally(Time at, std::uint32_t Tally::* counter) {
  ++(slot_of(state().by_second, unit_of<std::chrono::seconds>(at)).*counter);
  ++(slot_of(state().by_minute, unit_of<std::chrono::minutes>(at)).*counter);
}

void EndpointStatistics::add_success(Time ended, std::chrono::nanoseconds took, std::uint64_t tokens) {
  const double seconds = std::max(1e-6, std::chrono::duration<double>(took).count());
  const std::int64_t minute = unit_of<std::chrono::minutes>(ended);
  const std::lock_guard lock(mutex_);
  tally(ended, &Tally::successes);
  std::unique_ptr<Times>& times = state_->times[static_cast<std::size_t>(minute) % state_->times.size()];
  if (times == nullptr) times = std::make_unique<Times>();
  if (times->minute != minute) *times = {.minute = minute, .seconds = {}, .rate = {}};
  times->seconds.add(seconds);
  times->rate.add(static_cast<double>(tokens) / seconds);
}

void EndpointStatistics::add_error(Time ended, const Error& error) {
  const Outcome outcome = outcome_of(error);
  if (outcome == Outcome::uncounted) return;
  const std::lock_guard lock(mutex_);
  tally(ended, outcome == Outcome::failure ? &Tally::failures : &Tally::rate_limited);
}

std::optional<double> EndpointStatistics::latency_seconds(Time now, double percentile,
                                                          std::chrono::minutes window) const {
  return percentile_of(now, percentile, window, &Times::seconds);
}

std::optional<double> EndpointStatistics::tokens_per_second(Time now, double percentile,
                                                            std::chrono::minutes window) const {
  return percentile_of(now, percentile, window, &Times::rate);
}

std::optional<double> EndpointStatistics::percentile_of(Time now, double percentile,
                                                        std::chrono::minutes window,
                                                        Histogram Times::* member) const {
  Histogram sum;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == nullptr) return std::nullopt;
    const std::int64_t newest = unit_of<std::chrono::minutes>(now);
    for (const std::unique_ptr<Times>& times : state_->times) {
      if (times == nullptr || times->minute > newest || times->minute <= newest - window.count()) continue;
      const Histogram& histogram = (*times).*member;
      for (std::size_t i = 0; i < Histogram::kBuckets; ++i) sum.count[i] += histogram.count[i];
    }
  }
  std::uint64_t total = 0;
  for (const std::uint32_t count : sum.count) total += count;
  if (total == 0) return std::nullopt;
  // The value at that rank, as if the values of a bucket were spread evenly over it.
  const double rank =
      std::clamp(std::ceil(percentile * static_cast<double>(total)), 1.0, static_cast<double>(total));
  double below = 0;
  std::size_t bucket = 0;
  while (below + sum.count[bucket] < rank) below += sum.count[bucket++];
  const double share = (rank - below - 0.5) / sum.count[bucket];
  const double low = lower_edge(bucket);
  return low + share * (lower_edge(bucket + 1) - low);
}

EndpointStatistics::Counts EndpointStatistics::counts(Time now, std::chrono::seconds window) const {
  Counts sum;
  const auto add = [&](const Tally& tally) {
    sum.successes += tally.successes;
    sum.failures += tally.failures;
    sum.rate_limited += tally.rate_limited;
  };
  const std::lock_guard lock(mutex_);
  if (state_ == nullptr) return sum;
  if (window <= std::chrono::minutes(1)) {
    each_slot(state_->by_second, unit_of<std::chrono::seconds>(now), window.count(), add);
  } else {
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(window);
    each_slot(state_->by_minute, unit_of<std::chrono::minutes>(now), minutes.count(), add);
  }
  return sum;
}

std::optional<double> EndpointStatistics::uptime(Time now, std::chrono::minutes window) const {
  double busy = 0;
  double good = 0;
  const std::lock_guard lock(mutex_);
  if (state_ == nullptr) return std::nullopt;
  each_slot(state_->by_minute, unit_of<std::chrono::minutes>(now), window.count(), [&](const Tally& tally) {
    const std::uint64_t attempts = std::uint64_t{tally.successes} + tally.failures;
    if (attempts < kEnoughAttempts) return;
    ++busy;
    if (tally.successes >= kGoodShare * static_cast<double>(attempts)) ++good;
  });
  if (busy == 0) return std::nullopt;
  return 100 * good / busy;
}

}  // namespace embedrouter::embed
