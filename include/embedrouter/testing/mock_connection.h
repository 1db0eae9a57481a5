#pragma once
// A Connection without a network: answers what it is told, remembers what it was asked.
//
//   auto mock = std::make_shared<MockConnection>();
//   mock->answer(200, R"({"object":"list", …})");
//   Client client(mock);

#include <embedrouter/transport.h>

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace embedrouter::sdk::inline v0::testing {

// See above. Thread-safe.
class MockConnection final : public Connection {
 public:
  // What the next call gets; calls take answers in the order they were given. A call without one fails with
  // ErrorKind::usage.
  void answer(int status, std::string body, Headers headers = {{"content-type", "application/json"}}) {
    answer(HttpResponse{status, std::move(headers), std::move(body), {}});
  }
  // The same, or a failure.
  void answer(Result<HttpResponse> answer) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  std::vector<ApiCall> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }

  void start(ApiCall call, ResponseHandler done) override {
    Result<HttpResponse> answer = fail(ErrorKind::usage, "the mock has no answer left");
    {
      std::lock_guard lock(mutex_);
      calls_.push_back(std::move(call));
      if (!answers_.empty()) {
        answer = std::move(answers_.front());
        answers_.pop_front();
      }
    }
    done(std::move(answer));
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Result<HttpResponse>> answers_;
  std::vector<ApiCall> calls_;
};

}  // namespace embedrouter::sdk::inline v0::testing
