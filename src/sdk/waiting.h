#pragma once
// A thread that waits for what another one brings.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace embedrouter::sdk {

// Shared by both: the one that brings may still be in put() when the other has gone on.
template <class T>
class Waiting {
 public:
  void put(T value) {
    {
      std::lock_guard lock(mutex_);
      value_.emplace(std::move(value));
    }
    changed_.notify_one();
  }
  T wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return value_.has_value(); });
    return *std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

}  // namespace embedrouter::sdk
