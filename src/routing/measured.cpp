#include "routing/measured.h"

#include <algorithm>
#include <cmath>

namespace embedrouter::routing {

void Measured::add(Time now, std::chrono::nanoseconds took, std::uint64_t tokens) {
  const double seconds = std::max(1e-6, std::chrono::duration<double>(took).count());
  ring_[next_] = {now, static_cast<float>(seconds),
                  static_cast<float>(static_cast<double>(tokens) / seconds)};
  next_ = (next_ + 1) % ring_.size();
  size_ = std::min(size_ + 1, ring_.size());
}

std::optional<double> Measured::latency_seconds(Time now, double percentile) const {
  return percentile_of(now, percentile, &Sample::seconds);
}

std::optional<double> Measured::tokens_per_second(Time now, double percentile) const {
  return percentile_of(now, percentile, &Sample::rate);
}

std::optional<double> Measured::percentile_of(Time now, double percentile, float Sample::* member) const {
  std::array<float, std::tuple_size_v<decltype(ring_)>> values;
  std::size_t n = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (now - ring_[i].at <= kWindow) values[n++] = ring_[i].*member;
  }
  if (n == 0) return std::nullopt;
  const auto rank = static_cast<std::size_t>(std::ceil(percentile * static_cast<double>(n)));
  const std::size_t at = std::clamp<std::size_t>(rank, 1, n) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at),
                   values.begin() + static_cast<std::ptrdiff_t>(n));
  return values[at];
}

}  // namespace embedrouter::routing
