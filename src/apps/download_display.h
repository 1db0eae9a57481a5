#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "hub/download.h"

namespace embedrouter::apps {

// Shows a download on standard error: a bar where that is a terminal, else a line for each file.
class DownloadDisplay final : public hub::Watcher {
 public:
  // `clock` must outlive it.
  explicit DownloadDisplay(const Clock& clock);

  void begins(const hub::Revision& revision, std::uint64_t bytes, std::uint64_t already) override;
  void has(std::uint64_t bytes) override;
  void finished(const hub::RemoteFile& file) override;
  void waits(const Error& why, std::chrono::milliseconds wait) override;

 private:
  void draw();
  void erase() const;

  const Clock& clock_;
  const bool terminal_;
  std::uint64_t all_ = 0, have_ = 0, at_start_ = 0;
  Clock::Steady begun_{}, drawn_{};
};

std::string in_mebibytes(std::uint64_t bytes);  // "86.7 MiB"

}  // namespace embedrouter::apps
