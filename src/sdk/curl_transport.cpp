// CurlTransport: the thread that all transfers and timers of a client share.
#include <embedrouter/transport.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "sdk/curl_attempt.h"

namespace embedrouter::sdk::inline v0 {
namespace {

constexpr std::size_t kIdleHandles = 64;
constexpr std::chrono::hours kLongestSleep{24 * 365};
constexpr int kLongestPoll = 1000;  // milliseconds

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

tl::unexpected<Error> cancelled() {
  return fail(ErrorKind::cancelled, "the call was cancelled");
}

}  // namespace

// What other threads ask for goes into an inbox behind a mutex; all else belongs to the loop's thread.
class CurlTransport::Loop : public std::enable_shared_from_this<CurlTransport::Loop> {
 public:
  explicit Loop(TransportOptions options) : options_(std::move(options)) {
    initialise_curl();
    multi_ = curl_multi_init();
    const auto most = static_cast<long>(std::max<std::size_t>(options_.max_connections, 1));
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, most);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most);
  }
  ~Loop() {
    idle_.clear();
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void send(HttpRequest request, const std::stop_token& stop, ResponseHandler done) {
    auto attempt = std::make_shared<CurlAttempt>(next_id_++, std::move(request), stop, std::move(done));
    watch(*attempt);
    post([&] { inbox_.attempts.push_back(std::move(attempt)); });
  }

  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop, std::function<void()> done) {
    auto timer = std::make_shared<Pending>(next_id_++, stop,
                                           [done = std::move(done)](const Result<HttpResponse>&) { done(); });
    const auto at = clock_.now() + std::min<std::chrono::milliseconds>(duration, kLongestSleep);
    watch(*timer);
    post([&] { inbox_.timers.emplace_back(at, std::move(timer)); });
  }

  void stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    if (!thread_.joinable()) return;
    curl_multi_wakeup(multi_);
    std::thread thread = std::move(thread_);
    lock.unlock();
    // The last owner may be a callback on the loop's own thread, which holds the loop until it has ended.
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }

  Counts counts() const noexcept { return {attempts_.load(), connections_.load()}; }

 private:
  using Attempt = std::shared_ptr<CurlAttempt>;
  using Timer = std::shared_ptr<Pending>;

  struct Inbox {
    std::vector<Attempt> attempts;
    std::vector<std::pair<Clock::Steady, Timer>> timers;
    std::vector<std::uint64_t> cancelled;
    bool empty() const { return attempts.empty() && timers.empty() && cancelled.empty(); }
  };

  void post(const auto& add) {
    std::lock_guard lock(mutex_);
    const bool first = inbox_.empty();
    add();
    if (!thread_.joinable() && !stopping_) {
      thread_ = std::thread([self = shared_from_this()] { self->run(); });
    }
    if (first) curl_multi_wakeup(multi_);
  }

  // Before it is posted. A stop that comes even sooner is seen when it is taken from the inbox.
  void watch(Pending& pending) {
    // The loop outlives what is pending.
    pending.watch([this, id = pending.id()] { post([&] { inbox_.cancelled.push_back(id); }); });
  }

  void run() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    pthread_setname_np(pthread_self(), "er-sdk");
    while (take_inbox()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      fire_timers();
      curl_multi_poll(multi_, nullptr, 0, poll_time(), nullptr);
    }
    std::unordered_map<std::uint64_t, Attempt> attempts;
    attempts.swap(attempts_by_id_);
    for (auto& [id, attempt] : attempts) {
      curl_multi_remove_handle(multi_, attempt->easy());
      attempt->finish(cancelled());
    }
    auto timers = std::move(timers_);
    for (auto& [at, timer] : timers) timer->finish(cancelled());
  }

  // False when it is time to end.
  bool take_inbox() {
    Inbox inbox;
    bool stopping = false;
    {
      std::lock_guard lock(mutex_);
      std::swap(inbox, inbox_);
      stopping = stopping_;
    }
    for (auto& attempt : inbox.attempts) add(std::move(attempt));
    for (auto& [at, timer] : inbox.timers) {
      if (timer->stop_requested()) {
        timer->finish(cancelled());
      } else {
        timers_.emplace(at, std::move(timer));
      }
    }
    for (const std::uint64_t id : inbox.cancelled) cancel(id);
    return !stopping;
  }

  void add(Attempt attempt) {
    if (attempt->stop_requested()) return attempt->finish(cancelled());
    EasyHandle easy;
    if (idle_.empty()) {
      easy.reset(curl_easy_init());
    } else {
      easy = std::move(idle_.back());
      idle_.pop_back();
    }
    if (!easy) return attempt->finish(fail(ErrorKind::protocol, "libcurl has no memory left"));
    ++attempts_;
    attempt->prepare(std::move(easy), options_);
    curl_multi_add_handle(multi_, attempt->easy());
    attempts_by_id_.emplace(attempt->id(), std::move(attempt));
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CurlAttempt* done = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &done);
      const Attempt attempt = attempts_by_id_.extract(done->id()).mapped();
      Result<HttpResponse> answer = attempt->result(code);
      retire(*attempt);
      attempt->finish(std::move(answer));
    }
  }

  void retire(CurlAttempt& attempt) {
    long opened = 0;
    curl_easy_getinfo(attempt.easy(), CURLINFO_NUM_CONNECTS, &opened);
    connections_ += static_cast<std::uint64_t>(std::max(opened, 0L));
    curl_multi_remove_handle(multi_, attempt.easy());
    EasyHandle easy = attempt.release_easy();
    if (idle_.size() == kIdleHandles) return;
    curl_easy_reset(easy.get());
    idle_.push_back(std::move(easy));
  }

  void cancel(std::uint64_t id) {
    if (const auto found = attempts_by_id_.extract(id)) {
      retire(*found.mapped());
      found.mapped()->finish(cancelled());
      return;
    }
    const auto timer =
        std::ranges::find_if(timers_, [id](const auto& entry) { return entry.second->id() == id; });
    if (timer == timers_.end()) return;
    const Timer stopped = std::move(timer->second);
    timers_.erase(timer);
    stopped->finish(cancelled());
  }

  void fire_timers() {
    while (!timers_.empty() && timers_.begin()->first <= clock_.now()) {
      const Timer timer = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      timer->finish(cancelled());
    }
  }

  int poll_time() const {
    if (timers_.empty()) return kLongestPoll;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - clock_.now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongestPoll));
  }

  const TransportOptions options_;
  const SystemClock clock_;
  CURLM* multi_ = nullptr;
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::uint64_t> attempts_{0};
  std::atomic<std::uint64_t> connections_{0};

  std::mutex mutex_;
  Inbox inbox_;
  bool stopping_ = false;
  std::thread thread_;

  std::unordered_map<std::uint64_t, Attempt> attempts_by_id_;
  std::multimap<Clock::Steady, Timer> timers_;
  std::vector<EasyHandle> idle_;
};

CurlTransport::CurlTransport(TransportOptions options) : loop_(std::make_shared<Loop>(std::move(options))) {}
CurlTransport::~CurlTransport() {
  loop_->stop();
}

void CurlTransport::send(HttpRequest request, std::stop_token stop, ResponseHandler done) {
  loop_->send(std::move(request), stop, std::move(done));
}

void CurlTransport::sleep(std::chrono::milliseconds duration, std::stop_token stop,
                          std::function<void()> done) {
  loop_->sleep(duration, stop, std::move(done));
}

CurlTransport::Counts CurlTransport::counts() const noexcept {
  return loop_->counts();
}

}  // namespace embedrouter::sdk::inline v0
