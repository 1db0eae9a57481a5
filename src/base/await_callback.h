#pragma once
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "base/task.h"

namespace embedrouter {

// Waits for a value that a callback delivers once, from any thread; the coroutine goes on on `executor`.
// `start(done)` begins the work and returns a function that cancels it; `done(T)` must be called exactly
// once, after a cancellation too. If the waiting coroutine is cancelled, that function is called and the wait
// still ends with `done`.
template <class T, class Start>
Task<T> await_callback(Executor executor, Start start) {
  const auto initiate = [executor, start = std::move(start)](auto handler) mutable {
    using Handler = decltype(handler);
    struct Waiting {
      Handler handler;
      asio::executor_work_guard<Executor> work;
      std::optional<T> value;
    };
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto waiting =
        std::make_shared<Waiting>(Waiting{std::move(handler), asio::make_work_guard(executor), std::nullopt});
    auto cancel = start([executor, waiting](T value) {
      waiting->value.emplace(std::move(value));
      asio::post(executor, [waiting] {
        Handler finish = std::move(waiting->handler);
        T result = std::move(*waiting->value);
        waiting->work.reset();
        std::move(finish)(std::move(result));
      });
    });
    if (slot.is_connected()) {
      slot.assign([cancel = std::move(cancel)](asio::cancellation_type) mutable { cancel(); });
    }
  };
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(T)>(initiate, kAwait);
}

}  // namespace embedrouter
