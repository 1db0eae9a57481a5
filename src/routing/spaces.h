#pragma once
// Whether endpoints that are declared of one vector space are: what is known of each one's vectors, by the
// canary texts it is asked for now and then (docs/spaces.md).

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::routing {

// Ours and public. Few and short, of several kinds, and different to any vocabulary.
std::span<const std::string_view> canary_texts();
// Changes with the texts: fingerprints of others say nothing.
std::string canary_version();

// The vectors of the canary texts, one behind the other.
struct Fingerprint {
  std::uint32_t width = 0;
  std::vector<float> values;
};

// The least alike of the canaries. A cosine of 0 where the widths differ.
struct Likeness {
  double cosine = 1;
  std::uint32_t canary = 0;
};
Likeness compare(const Fingerprint& a, const Fingerprint& b);

enum class Verdict : std::uint8_t {
  unknown,      // not yet measured
  agreeing,     // its vectors are of its space
  held_out,     // they never were: it disagrees with the space's reference, or with itself
  quarantined,  // they were, and are no longer
};
std::string_view name_of(Verdict verdict) noexcept;
std::optional<Verdict> verdict_named(std::string_view name) noexcept;

// What the canaries have shown of one endpoint. Pure: told what was measured, says what follows.
class SpaceMember {
 public:
  static constexpr double kDriftLimit = 0.9999;
  // Two measurements are a small sample of a noise: so many times as much is not yet drift.
  static constexpr double kNoiseMargin = 2;
  // Whoever is less like itself than this has no vectors that could be compared with any.
  static constexpr double kNoisiest = 0.99;
  static constexpr std::uint32_t kDriftsInARow = 2;

  SpaceMember() = default;
  // As it was kept.
  SpaceMember(Verdict verdict, std::optional<Fingerprint> history, double noise)
      : verdict_(verdict), history_(std::move(history)), noise_(noise) {}

  Verdict verdict() const noexcept { return verdict_; }
  // The vectors it was found agreeing with; never renewed, so that small steps add up.
  const std::optional<Fingerprint>& history() const noexcept { return history_; }
  double noise() const noexcept { return noise_; }
  Likeness last() const noexcept { return last_; }
  // The cosine with its own history below which it has drifted.
  double limit() const noexcept;
  // One measurement showed a drift: the next one decides.
  bool in_doubt() const noexcept { return verdict_ == Verdict::agreeing && drifts_ != 0; }

  // The first look, where there is no history. `again`: the same texts once more, in another order.
  // `reference`: the vectors of its space; null: it has none, and these become them. `threshold`: of the
  // cosine with the reference.
  void enroll(const Fingerprint& first, const Fingerprint& again, const Fingerprint* reference,
              double threshold);
  // Against its history, which it has.
  void observe(const Fingerprint& measured);
  void forget() { *this = SpaceMember(); }

 private:
  Verdict verdict_ = Verdict::unknown;
  std::optional<Fingerprint> history_;
  double noise_ = 0;  // 1 - cosine of two measurements in a row
  std::uint32_t drifts_ = 0;
  Likeness last_;
};

// Of one endpoint, over all threads; written by the prober. Thread-safe.
class SpaceStanding {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A caller's request considers the endpoint.
  void want(Time now) noexcept { wanted_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
  Time wanted() const noexcept { return Time(Time::duration(wanted_.load(std::memory_order_relaxed))); }
  Verdict verdict() const noexcept { return verdict_.load(std::memory_order_acquire); }
  SpaceMember member() const {
    const std::lock_guard lock(mutex_);
    return member_;
  }
  // What is known is of another space, or another width: it is forgotten. False if it is of this one.
  bool enter(std::string_view space, std::uint32_t width) {
    const std::lock_guard lock(mutex_);
    if (space_ == space && width_ == width) return false;
    space_ = space;
    width_ = width;
    member_ = {};
    verdict_.store(Verdict::unknown, std::memory_order_release);
    return true;
  }
  void set(SpaceMember member) {
    const std::lock_guard lock(mutex_);
    verdict_.store(member.verdict(), std::memory_order_release);
    member_ = std::move(member);
  }

 private:
  std::atomic<Time::rep> wanted_{0};
  std::atomic<Verdict> verdict_{Verdict::unknown};
  mutable std::mutex mutex_;
  std::string space_;
  std::uint32_t width_ = 0;
  SpaceMember member_;
};

}  // namespace embedrouter::routing
