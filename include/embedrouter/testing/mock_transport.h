#pragma once
// A Transport and a Sleeper without a network and without waiting, to test what retries and hooks make of
// answers.

#include <embedrouter/transport.h>

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace embedrouter::sdk::inline v0::testing {

// Answers each attempt with the next of its answers; with the last one again when there is no other.
class MockTransport final : public Transport {
 public:
  // Adds an answer.
  void answer(int status, std::string body = "{}", Headers headers = {{"content-type", "application/json"}}) {
    answer(HttpResponse{status, std::move(headers), std::move(body), {}});
  }
  // The same, or a failure.
  void answer(Result<HttpResponse> answer) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  std::vector<HttpRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

  void send(HttpRequest request, std::stop_token stop, ResponseHandler done) override {
    Result<HttpResponse> answer = fail(ErrorKind::connect_failed, "the mock has no answer");
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
      if (!answers_.empty()) answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
    }
    if (stop.stop_requested()) answer = fail(ErrorKind::cancelled, "the call was cancelled");
    done(std::move(answer));
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Result<HttpResponse>> answers_;
  std::vector<HttpRequest> requests_;
};

// Waits take no time: the clock is moved instead.
class MockTime final : public Sleeper {
 public:
  void sleep(std::chrono::milliseconds duration, std::stop_token, std::function<void()> done) override {
    {
      std::lock_guard lock(mutex_);
      waits_.push_back(duration);
      now_ += duration;
    }
    done();
  }
  // Moves the clock, which begins at a time of its own.
  void advance(std::chrono::milliseconds by) {
    std::lock_guard lock(mutex_);
    now_ += by;
  }
  std::chrono::milliseconds now() const {
    std::lock_guard lock(mutex_);
    return now_;
  }
  std::vector<std::chrono::milliseconds> waits() const {
    std::lock_guard lock(mutex_);
    return waits_;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds now_{1'700'000'000'000};
  std::vector<std::chrono::milliseconds> waits_;
};

}  // namespace embedrouter::sdk::inline v0::testing
