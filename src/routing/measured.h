#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace embedrouter::routing {

// The last answers of an endpoint: how long they took and how many tokens they held. Bounded; belongs to one
// thread.
class Measured {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kWindow{5};

  void add(Time now, std::chrono::nanoseconds took, std::uint64_t tokens);
  // Over the answers of the last five minutes, `percentile` in (0, 1]. nullopt if there are none.
  std::optional<double> latency_seconds(Time now, double percentile) const;
  std::optional<double> tokens_per_second(Time now, double percentile) const;

 private:
  struct Sample {
    Time at;
    float seconds = 0;
    float rate = 0;  // tokens per second
  };
  std::optional<double> percentile_of(Time now, double percentile, float Sample::* member) const;

  std::array<Sample, 256> ring_{};
  std::size_t next_ = 0, size_ = 0;
};

}  // namespace embedrouter::routing
