#pragma once
#include <cstddef>

namespace embedrouter::apps {

// A line on standard error that is drawn over and over, and gone in the end. Nothing where standard error is
// no terminal.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(std::size_t done, std::size_t all);
  void clear();

 private:
  bool terminal_ = false;
  bool drawn_ = false;
};

}  // namespace embedrouter::apps
