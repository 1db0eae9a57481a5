#pragma once
// Opt-in: calls as operations of Boost.Asio, with any completion token. Needs Boost.
//
//   auto reply = co_await async_call(client.embeddings().generate(request), boost::asio::use_awaitable);

#include <embedrouter/call.h>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <stop_token>
#include <utility>

namespace embedrouter::sdk::inline v0 {

// Makes the call; the handler gets its Result<T>, on its associated executor, which is kept running until
// then. Cancelling the operation (of any type) ends the call with ErrorKind::cancelled; a stop token in the
// CallOptions is replaced then. The client must outlive the operation, else it ends so, too.
template <class T, class CompletionToken>
auto async_call(Call<T> call, CompletionToken&& token) {
  return boost::asio::async_initiate<CompletionToken, void(Result<T>)>(
      [](auto handler, Call<T> made) {
        using Handler = decltype(handler);
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
          auto source = std::make_shared<std::stop_source>();
          made.stop_with(source->get_token());
          slot.assign([source](boost::asio::cancellation_type) { source->request_stop(); });
        }
        auto work = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
        // A std::function must be copyable; a handler need not be.
        auto shared = std::make_shared<Handler>(std::move(handler));
        std::move(made).then([shared, work](Result<T> result) mutable {
          auto executor = work.get_executor();
          // Moved, so that the executor is kept running by what it still has to run alone.
          boost::asio::post(executor, [shared = std::move(shared), guard = std::move(work),
                                       result = std::move(result)]() mutable {
            auto slot = boost::asio::get_associated_cancellation_slot(*shared);
            if (slot.is_connected()) slot.clear();
            std::move (*shared)(std::move(result));
          });
        });
      },
      token, std::move(call));
}

}  // namespace embedrouter::sdk::inline v0
