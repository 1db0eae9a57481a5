#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "base/task.h"

namespace embedrouter::net {

// Lets one coroutine wait for a callback of its own thread, without allocating. Not thread-safe.
class Waiter {
 public:
  explicit Waiter(Executor executor) : executor_(std::move(executor)) {}

  // True when woken, false when the coroutine was cancelled.
  Task<bool> wait() {
    const auto initiate = [this](auto handler) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected()) {
        slot.assign([this](asio::cancellation_type) { cancel(); });
      }
      handler_.emplace(std::move(handler));
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(bool)>(initiate, kAwait);
  }
  // Carried by the callback that will wake: if the callback is destroyed uncalled, as when its io_context
  // ends, so is the coroutine, which would else keep its owner alive and be kept by it.
  class Promise {
   public:
    explicit Promise(Waiter& waiter) : waiter_(&waiter) {}
    Promise(Promise&& other) noexcept : waiter_(std::exchange(other.waiter_, nullptr)) {}
    Promise& operator=(Promise&&) = delete;
    ~Promise() {
      if (waiter_) waiter_->abandon();
    }
    void kept() noexcept { waiter_ = nullptr; }

   private:
    Waiter* waiter_;
  };

  bool waiting() const noexcept { return handler_.has_value(); }
  // Goes on with the coroutine before it returns: whoever calls it must be alive afterwards.
  void wake() {
    if (!handler_) return;
    Handler handler = std::move(*handler_);
    handler_.reset();
    std::move(handler)(true);
  }

 private:
  using Handler = asio::async_result<asio::use_awaitable_t<Executor>, void(bool)>::handler_type;

  void abandon() { const std::optional<Handler> dropped = std::exchange(handler_, std::nullopt); }
  // Posted: the slot that calls this may not be cleared while it does.
  void cancel() {
    if (!handler_) return;
    asio::post(executor_, [handler = std::move(*handler_)]() mutable { std::move(handler)(false); });
    handler_.reset();
  }

  Executor executor_;
  std::optional<Handler> handler_;
};

}  // namespace embedrouter::net
