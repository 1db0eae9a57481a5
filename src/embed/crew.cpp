#include "embed/crew.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

namespace embedrouter::embed {

Crew::Crew(const Executor& executor) : executor_(executor), over_(executor, Timer::time_point::max()) {}

void Crew::add(Task<void> work) {
  ++running_;
  asio::cancellation_signal& signal = signals_.emplace_back();
  const auto self = shared_from_this();
  const auto ended = [self](const std::exception_ptr& error) {
    if (error && !self->failure_) self->failure_ = error;
    // The slot is in use until the coroutine is gone altogether.
    asio::post(self->executor_, [self] {
      if (--self->running_ == 0) self->over_.cancel();
    });
  };
  asio::co_spawn(executor_, std::move(work), asio::bind_cancellation_slot(signal.slot(), ended));
}

Task<void> Crew::wait() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (running_ > 0) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!cancelled_ && state.cancelled() != asio::cancellation_type::none) {
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      cancel();
    }
    co_await over_.async_wait(asio::as_tuple(kAwait));
  }
  co_await asio::this_coro::throw_if_cancelled(true);
  if (cancelled_) throw boost::system::system_error(asio::error::operation_aborted);
  if (failure_) std::rethrow_exception(failure_);
}

void Crew::cancel() {
  cancelled_ = true;
  for (asio::cancellation_signal& signal : signals_) signal.emit(asio::cancellation_type::terminal);
}

}  // namespace embedrouter::embed
