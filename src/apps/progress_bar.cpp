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

void ProgressBar::show(std::size_t done, std::size_t all) {
  if (!terminal_ || all == 0) return;
  constexpr std::size_t kWidth = 40;
  const std::size_t full = std::min(done * kWidth / all, kWidth);
  const std::string line =
      fmt::format("\r[{:#<{}}{:.<{}}] {}/{} texts", "", full, "", kWidth - full, done, all);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace embedrouter::apps
