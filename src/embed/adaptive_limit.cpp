#include "embed/adaptive_limit.h"

#include <algorithm>

namespace embedrouter::embed {

void AdaptiveLimit::set_declared(std::uint32_t calls) noexcept {
  now_ = lowered() ? std::min(now_, calls) : calls;
  declared_ = calls;
}

void AdaptiveLimit::refused(Time at, Time began, std::uint32_t under_way) noexcept {
  if (began >= round_) {
    if (under_way < 2) return;
    round_ = at;
    now_ = std::min(now_, under_way);
    least_ = (now_ + 1) / 2;
  }
  now_ = std::max(now_ - 1, std::min(least_, now_));
  answers_ = 0;
  refused_at_ = at;
}

void AdaptiveLimit::answered(Time at, std::uint32_t under_way) noexcept {
  if (!lowered()) return;
  if (at - refused_at_ >= kHold) {
    now_ = declared_;
  } else if (2 * under_way >= now_ && ++answers_ >= kAnswersPerPlace) {
    ++now_;
    answers_ = 0;
  }
}

}  // namespace embedrouter::embed
