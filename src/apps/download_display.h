#pragma once
#include <cstdint>

#include "apps/progress_bar.h"
#include "base/clock.h"
#include "hub/download.h"

namespace embedrouter::apps {

// Shows a download on standard error: a line for each file and, where that is a terminal, a bar.
class DownloadDisplay final : public hub::Watcher {
 public:
  // `clock` must outlive it.
  explicit DownloadDisplay(const Clock& clock);

  void begins(const hub::Revision& revision, std::uint64_t bytes, std::uint64_t already) override;
  void has(std::uint64_t bytes) override;
  void finished(const hub::RemoteFile& file) override;
  void waits(const Error& why, std::chrono::milliseconds wait) override;

 private:
  const Clock& clock_;
  ProgressBar bar_;
  std::uint64_t all_ = 0, at_start_ = 0;
  Clock::Steady begun_{}, drawn_{};
};

}  // namespace embedrouter::apps
