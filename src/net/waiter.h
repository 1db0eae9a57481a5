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
