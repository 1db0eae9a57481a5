#pragma once
#include <string_view>

namespace embedrouter::apps {

// A line on standard error that is drawn over and over, and gone in the end. Nothing where standard error is
// no terminal.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `share`: what is done of everything, from 0 to 1. `words` stand behind the bar.
  void show(double share, std::string_view words);
  void clear();

 private:
  bool terminal_ = false;
  bool drawn_ = false;
};

}  // namespace embedrouter::apps
