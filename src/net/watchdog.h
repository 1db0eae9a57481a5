#pragma once
#include <memory>

#include "net/stream.h"

namespace embedrouter::net {

// One deadline per connection. Moving it later is an assignment: the timer finds out when it fires and sleeps
// again, so that a request costs no timer operation. Owner: enable_shared_from_this, with on_deadline(). One
// thread.
template <class Owner>
class Watchdog {
 public:
  explicit Watchdog(const Executor& executor) : timer_(executor) {}

  static constexpr Clock::Steady kNever = Clock::Steady::max();

  // `owner.on_deadline()` is called once when `deadline` has passed, unless another is set before.
  void set(Clock::Steady deadline, Owner& owner) {
    deadline_ = deadline;
    if (deadline < armed_) arm(owner);
  }
  void clear() noexcept { deadline_ = kNever; }
  void stop() {
    deadline_ = armed_ = kNever;
    timer_.cancel();
  }

 private:
  void arm(Owner& owner) {
    armed_ = deadline_;
    timer_.expires_at(armed_);
    timer_.async_wait([weak = owner.weak_from_this(), this](const error_code& error) {
      if (error) return;
      const std::shared_ptr<Owner> alive = weak.lock();
      if (!alive) return;
      armed_ = kNever;
      if (deadline_ == kNever) return;
      if (steady_now() < deadline_) return arm(*alive);
      deadline_ = kNever;
      alive->on_deadline();
    });
  }

  Timer timer_;
  Clock::Steady deadline_ = kNever;
  Clock::Steady armed_ = kNever;  // when the timer fires
};

}  // namespace embedrouter::net
