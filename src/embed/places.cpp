#include "embed/places.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace embedrouter::embed {

Place::~Place() {
  if (of_ != nullptr) of_->give_back();
}

// A coroutine in the queue: leaves it however it ends, and passes on a place that came too late.
class Places::Turn {
 public:
  Turn(Places& places, std::shared_ptr<Waiter> waiter) : places_(places), waiter_(std::move(waiter)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (waiter_ != nullptr && places_.leave(waiter_)) places_.give_back();
  }
  bool end() { return places_.leave(std::exchange(waiter_, nullptr)); }

 private:
  Places& places_;
  std::shared_ptr<Waiter> waiter_;
};

void Places::set_limit(std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  limit_.set_declared(limit);
  lowered_.store(limit_.lowered(), std::memory_order_relaxed);
  grant_free();
}

std::uint32_t Places::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_.now();
}

bool Places::waited_for() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

void Places::report(const Error* failure, Time began, Time now) {
  const bool refused = failure != nullptr && failure->code() == ErrorCode::upstream_rate_limited;
  if (refused ? failure->unsent() : failure != nullptr || !lowered()) return;
  const std::lock_guard lock(mutex_);
  if (refused) {
    limit_.refused(now, began, taken_);
  } else {
    limit_.answered(now, taken_);
  }
  lowered_.store(limit_.lowered(), std::memory_order_relaxed);
  grant_free();
}

std::optional<Place> Places::take() {
  const std::lock_guard lock(mutex_);
  if (taken_ >= limit_.now()) return std::nullopt;
  ++taken_;
  return Place(*this);
}

Task<std::optional<Place>> Places::wait(Time deadline) {
  const auto executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>(executor, deadline);
  if (take_or_queue(waiter)) co_return Place(*this);
  if (waiter->timer.expiry() == Time::min()) co_return std::nullopt;
  Turn turn(*this, waiter);
  co_await waiter->timer.async_wait(asio::as_tuple(kAwait));
  if (turn.end()) co_return Place(*this);
  co_return std::nullopt;
}

// True if a place was free. A queue that is full ends the wait before it begins.
bool Places::take_or_queue(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (taken_ < limit_.now()) {
    ++taken_;
    return true;
  }
  if (waiting_.size() < kLongestQueue) {
    waiting_.push_back(waiter);
  } else {
    waiter->timer.expires_at(Time::min());
  }
  return false;
}

// True if the waiter had been granted a place.
bool Places::leave(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (!waiter->granted) std::erase(waiting_, waiter);
  return waiter->granted;
}

void Places::give_back() {
  const std::lock_guard lock(mutex_);
  --taken_;
  grant_free();
}

// Under the lock: to those who wait, in their order.
void Places::grant_free() {
  while (!waiting_.empty() && taken_ < limit_.now()) {
    const std::shared_ptr<Waiter> next = std::move(waiting_.front());
    waiting_.pop_front();
    next->granted = true;
    ++taken_;
    // On its own thread, where it waits by now.
    asio::post(next->timer.get_executor(), [next] { next->timer.cancel(); });
  }
}

}  // namespace embedrouter::embed
