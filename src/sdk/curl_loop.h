#pragma once
// The transfers and timers of a CurlTransport. One thread at a time drives them: the loop's own, or one that
// waits for the only attempt there is.

#include <curl/curl.h>
#include <embedrouter/transport.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "sdk/curl_attempt.h"

namespace embedrouter::sdk::inline v0 {

class CurlTransport::Loop : public std::enable_shared_from_this<CurlTransport::Loop> {
 public:
  explicit Loop(TransportOptions options);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void send(HttpRequest request, const std::stop_token& stop, ResponseHandler done);
  Result<HttpResponse> send_and_wait(HttpRequest request, const std::stop_token& stop);
  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop, std::function<void()> done);
  // Ends the thread, and all that is pending as cancelled.
  void stop();
  Counts counts() const noexcept { return {attempts_.load(), connections_.load()}; }

 private:
  using Attempt = std::shared_ptr<CurlAttempt>;
  using Timer = std::shared_ptr<Pending>;

  // What other threads ask of the one that drives.
  struct Inbox {
    std::vector<Attempt> attempts;
    std::vector<std::pair<Clock::Steady, Timer>> timers;
    std::vector<std::uint64_t> cancelled;
    bool empty() const { return attempts.empty() && timers.empty() && cancelled.empty(); }
  };
  enum class Driver : std::uint8_t { nobody, thread, waiter };

  void watch(Pending& pending);
  void post(const auto& add);
  // Under the mutex: there is work and nobody drives.
  void wake_thread();
  bool has_work() const { return !inbox_.empty() || !attempts_by_id_.empty() || !timers_.empty(); }

  void run();
  void drive();
  bool become_waiter();
  void drive_as_waiter(Attempt attempt);
  void end_pending();

  // By the driver alone.
  void take_inbox();
  void add(Attempt attempt);
  void perform();
  void retire(CurlAttempt& attempt);
  void cancel(std::uint64_t id);
  void fire_timers();
  int poll_time() const;

  const TransportOptions options_;
  const SystemClock clock_;
  CURLM* multi_ = nullptr;
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::uint64_t> attempts_{0};
  std::atomic<std::uint64_t> connections_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  Inbox inbox_;
  Driver driver_ = Driver::nobody;
  bool stopping_ = false;
  std::thread thread_;

  // The driver's: the mutex is held where the driver changes.
  std::unordered_map<std::uint64_t, Attempt> attempts_by_id_;
  std::multimap<Clock::Steady, Timer> timers_;
  std::vector<EasyHandle> idle_;
};

}  // namespace embedrouter::sdk::inline v0
