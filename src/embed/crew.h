#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <cstddef>
#include <exception>
#include <list>
#include <memory>

#include "base/task.h"

namespace embedrouter::embed {

// Coroutines that work side by side on one thread, and one that waits for them all: what awaits side by side
// can be cancelled as one. Lives in what the coroutines share; must not be destroyed before wait() has ended,
// except with the io_context.
class Crew : public std::enable_shared_from_this<Crew> {
 public:
  explicit Crew(const Executor& executor);

  // Begins at once, and may be over when this returns. Also from within another of them.
  void add(Task<void> work);
  // Those that have not ended.
  std::size_t size() const noexcept { return running_; }
  // Nobody waits for what they do any more: add no more.
  bool cancelled() const noexcept { return cancelled_; }

  // Ends when all have. If the waiting coroutine is cancelled, so are they, and it throws operation_aborted
  // after the last. An exception of theirs comes out here.
  Task<void> wait();

 private:
  void cancel();

  Executor executor_;
  Timer over_;  // never runs out: cancelled when the last has ended
  std::list<asio::cancellation_signal> signals_;
  std::size_t running_ = 0;
  bool cancelled_ = false;
  std::exception_ptr failure_;
};

}  // namespace embedrouter::embed
