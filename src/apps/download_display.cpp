#include "apps/download_display.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "hub/manifest.h"

namespace embedrouter::apps {
namespace {

using hub::in_mebibytes;

constexpr std::chrono::milliseconds kBetweenDraws{100};

}  // namespace

DownloadDisplay::DownloadDisplay(const Clock& clock) : clock_(clock) {}

void DownloadDisplay::begins(const hub::Revision& revision, std::uint64_t bytes, std::uint64_t already) {
  all_ = std::max<std::uint64_t>(bytes, 1);
  at_start_ = already;
  begun_ = clock_.now();
  std::cerr << "fetching " << revision.id << " at commit " << revision.commit << ": " << in_mebibytes(bytes)
            << (already == 0 ? "" : ", of which " + in_mebibytes(already) + " are here already") << "\n";
}

void DownloadDisplay::has(std::uint64_t bytes) {
  const Clock::Steady now = clock_.now();
  if (now - drawn_ < kBetweenDraws) return;
  drawn_ = now;
  const double taken = std::chrono::duration<double>(now - begun_).count();
  const double fetched = static_cast<double>(bytes) - static_cast<double>(at_start_);
  const double rate = taken > 0 ? std::max(0.0, fetched) / taken / 1e6 : 0;
  bar_.show(static_cast<double>(bytes) / static_cast<double>(all_),
            fmt::format("{} of {}, {:.1f} MB/s", in_mebibytes(bytes), in_mebibytes(all_), rate));
}

void DownloadDisplay::finished(const hub::RemoteFile& file) {
  bar_.clear();
  std::cerr << "fetched " << file.path << " (" << in_mebibytes(file.size) << ")\n";
}

void DownloadDisplay::waits(const Error& why, std::chrono::milliseconds wait) {
  bar_.clear();
  std::cerr << fmt::format("{}; trying again in {:.1f} s\n", why.message(),
                           std::chrono::duration<double>(wait).count());
}

}  // namespace embedrouter::apps
