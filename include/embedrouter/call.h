#pragma once
// An operation that is ready to be made: how it runs is yours to choose.

#include <embedrouter/client_error.h>
#include <embedrouter/transport.h>

#include <functional>
#include <future>
#include <memory>
#include <utility>

namespace embedrouter::sdk::inline v0 {

// What the methods of a Client return. Nothing is sent before one of get, value, future and then is called,
// which can be done once. The arguments are already encoded: nothing they pointed to is needed any more.
// Calls under way by future() and then() end with ErrorKind::cancelled when the last copy of their Client
// goes; get() and value() keep what they need of it.
//
//   auto reply = client.embeddings().generate(request).get();
template <class T>
class [[nodiscard]] Call {
 public:
  // Makes the value of an answer of any status, or the Error it stands for. Must not throw.
  using Decode = std::function<Result<T>(HttpResponse)>;

  Call(std::shared_ptr<Connection> connection, ApiCall call, Decode decode)
      : connection_(std::move(connection)), call_(std::move(call)), decode_(std::move(decode)) {}
  // A call that fails before it is made.
  explicit Call(Error error) : error_(std::make_unique<Error>(std::move(error))) {}

  // In place of the stop token of its CallOptions.
  void stop_with(std::stop_token stop) { call_.options.stop = std::move(stop); }

  // Blocks. The answer is decoded on the calling thread.
  Result<T> get() && {
    if (error_) return fail(*error_);
    auto answer = connection_->run(std::move(call_));
    if (!answer) return fail(std::move(answer).error());
    return decode_(*std::move(answer));
  }
  // Blocks; throws what <embedrouter/exceptions.h> names.
  T value() && { return std::move(*this).get().value(); }

  // Decoded on a thread of the SDK.
  std::future<Result<T>> future() && {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    std::move(*this).then([promise](Result<T> result) { promise->set_value(std::move(result)); });
    return future;
  }

  // Calls `done` once, on a thread of the SDK or, if it fails at once, on this one. It must not block: other
  // calls wait for that thread. It must not throw: there that ends the program.
  void then(std::function<void(Result<T>)> done) && {
    if (error_) return done(fail(*error_));
    const auto connection = std::move(connection_);
    connection->start(std::move(call_),
                      [decode = std::move(decode_), done = std::move(done)](Result<HttpResponse> answer) {
                        if (!answer) return done(fail(std::move(answer).error()));
                        done(decode(*std::move(answer)));
                      });
  }

 private:
  std::shared_ptr<Connection> connection_;
  ApiCall call_;
  Decode decode_;
  std::unique_ptr<Error> error_;
};

}  // namespace embedrouter::sdk::inline v0
