#pragma once
#include <chrono>
#include <cstdint>

namespace embedrouter::embed {

// How many calls an endpoint is given at a time: as many as it is declared to take, until it answers 429 to
// calls side by side. Then AIMD:
//
// - a call that is refused takes a place away, counted from those under way; of one round (the calls that
//   began before its first refusal was known) at most half of them. What is far over the limit is halved
//   round by round, what is one over it loses that one.
// - kAnswersPerPlace answers while half of the places or more were in use bring one back. So of the calls to
// an
//   endpoint whose limit stays as it is, at most one in kAnswersPerPlace is refused.
//
// Forgotten after kHold without a refusal. A refusal of a call that was alone says nothing of parallelism.
// Not thread-safe.
class AdaptiveLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint32_t kAnswersPerPlace = 100;
  static constexpr std::chrono::minutes kHold{10};

  // At least 1. What was learned below it stays.
  void set_declared(std::uint32_t calls) noexcept;
  // Calls at a time: 1 to the declared.
  std::uint32_t now() const noexcept { return now_; }
  bool lowered() const noexcept { return now_ < declared_; }

  // A call that began at `began` was refused, or answered. `under_way`: calls at that moment, itself among
  // them.
  void refused(Time at, Time began, std::uint32_t under_way) noexcept;
  void answered(Time at, std::uint32_t under_way) noexcept;

 private:
  std::uint32_t declared_ = 256;
  std::uint32_t now_ = 256;
  std::uint32_t least_ = 1;  // of this round
  std::uint32_t answers_ = 0;
  Time round_ = Time::min();  // when its first refusal was known
  Time refused_at_ = Time::min();
};

}  // namespace embedrouter::embed
