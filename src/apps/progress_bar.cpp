#include "apps/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace embedrouter::apps {

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::clear() {
  if (std::exchange(drawn_, false)) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::show(double share, std::string_view words) {
  if (!terminal_) return;
  constexpr std::size_t kWidth = 40;
  const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kWidth);
  const std::string line = fmt::format("\r[{:#<{}}{:.<{}}] {}\x1b[K", "", full, "", kWidth - full, words);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace embedrouter::apps
