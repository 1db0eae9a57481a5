#pragma once
#include <memory>
#include <vector>

#include "net/stream.h"

namespace embedrouter::net {

enum class Woken : std::uint8_t { notified, late, cancelled };

// Lets coroutines of one thread wait until something has happened, each up to a deadline of its own. A
// coroutine that waits may outlive the signal.
class Signal {
 public:
  explicit Signal(Executor executor)
      : executor_(std::move(executor)), waiting_(std::make_shared<std::vector<Waiting*>>()) {}

  Task<Woken> wait_until(Clock::Steady deadline) {
    Waiting self(executor_, deadline, waiting_);
    error_code error;
    co_await self.timer.async_wait(asio::redirect_error(kAwait, error));
    if (self.notified) co_return Woken::notified;
    co_return error ? Woken::cancelled : Woken::late;
  }
  // All that wait go on, later and not inside this call.
  void notify() {
    for (Waiting* each : *waiting_) {
      each->notified = true;
      each->timer.cancel();
    }
    waiting_->clear();
  }
  std::size_t waiting() const noexcept { return waiting_->size(); }

 private:
  struct Waiting {
    Waiting(const Executor& executor, Clock::Steady deadline, std::shared_ptr<std::vector<Waiting*>> all)
        : timer(executor, deadline), others(std::move(all)) {
      others->push_back(this);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { std::erase(*others, this); }
    Timer timer;
    bool notified = false;
    std::shared_ptr<std::vector<Waiting*>> others;
  };

  Executor executor_;
  std::shared_ptr<std::vector<Waiting*>> waiting_;
};

}  // namespace embedrouter::net
