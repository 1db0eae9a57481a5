#include "apps/download_display.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace embedrouter::apps {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::chrono::milliseconds kBetweenDraws{100};

}  // namespace

std::string in_mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1U << 20));
}

DownloadDisplay::DownloadDisplay(const Clock& clock)
    : clock_(clock), terminal_(::isatty(STDERR_FILENO) == 1) {}

void DownloadDisplay::begins(const hub::Revision& revision, std::uint64_t bytes, std::uint64_t already) {
  all_ = bytes;
  have_ = at_start_ = already;
  begun_ = clock_.now();
  std::cerr << "fetching " << revision.id << " at commit " << revision.commit << ": " << in_mebibytes(bytes)
            << (already == 0 ? "" : ", of which " + in_mebibytes(already) + " are here already") << "\n";
}

void DownloadDisplay::has(std::uint64_t bytes) {
  have_ = bytes;
  const Clock::Steady now = clock_.now();
  if (!terminal_ || now - drawn_ < kBetweenDraws) return;
  drawn_ = now;
  draw();
}

void DownloadDisplay::draw() {
  const double share = all_ == 0 ? 1 : static_cast<double>(have_) / static_cast<double>(all_);
  const auto full = std::min(kBarWidth, static_cast<std::size_t>(share * kBarWidth));
  const std::chrono::duration<double> taken = drawn_ - begun_;
  const double fetched = static_cast<double>(have_) - static_cast<double>(at_start_);
  const double rate = taken.count() > 0 ? std::max(0.0, fetched) / taken.count() / 1e6 : 0;
  std::cerr << fmt::format("\r[{:<{}}] {:3.0f} %  {} of {}, {:.1f} MB/s \x1b[K", std::string(full, '='),
                           kBarWidth, share * 100, in_mebibytes(have_), in_mebibytes(all_), rate)
            << std::flush;
}

void DownloadDisplay::erase() const {
  if (terminal_) std::cerr << "\r\x1b[K";
}

void DownloadDisplay::finished(const hub::RemoteFile& file) {
  erase();
  std::cerr << "fetched " << file.path << " (" << in_mebibytes(file.size) << ")\n";
}

void DownloadDisplay::waits(const Error& why, std::chrono::milliseconds wait) {
  erase();
  std::cerr << fmt::format("{}; trying again in {:.1f} s\n", why.message(),
                           std::chrono::duration<double>(wait).count());
}

}  // namespace embedrouter::apps
