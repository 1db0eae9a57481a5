#include <embedrouter/transport.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "sdk/curl_loop.h"
#include "sdk/waiting.h"

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

// TLS may write to a connection that is gone; on a thread of the caller's that must not end the program.
class NoSigpipe {
 public:
  explicit NoSigpipe(bool tls) : tls_(tls) {
    if (!tls_) return;
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    if (!tls_) return;
    const timespec now{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool tls_;
  bool was_pending_ = false;
};

}  // namespace

CurlTransport::Loop::Loop(TransportOptions options) : options_(std::move(options)) {
  initialise_curl();
  multi_ = curl_multi_init();
  const auto most = static_cast<long>(std::max<std::size_t>(options_.max_connections, 1));
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, most);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most);
}

CurlTransport::Loop::~Loop() {
  idle_.clear();
  curl_multi_cleanup(multi_);
}

void CurlTransport::Loop::send(HttpRequest request, const std::stop_token& stop, ResponseHandler done) {
  auto attempt = std::make_shared<CurlAttempt>(next_id_++, std::move(request), stop, std::move(done));
  watch(*attempt);
  post([&] { inbox_.attempts.push_back(std::move(attempt)); });
}

Result<HttpResponse> CurlTransport::Loop::send_and_wait(HttpRequest request, const std::stop_token& stop) {
  const auto waiting = std::make_shared<Waiting<Result<HttpResponse>>>();
  auto attempt = std::make_shared<CurlAttempt>(
      next_id_++, std::move(request), stop,
      [waiting](Result<HttpResponse> answer) { waiting->put(std::move(answer)); });
  watch(*attempt);
  if (become_waiter()) {
    drive_as_waiter(std::move(attempt));
  } else {
    post([&] { inbox_.attempts.push_back(std::move(attempt)); });
  }
  return waiting->wait();
}

void CurlTransport::Loop::sleep(std::chrono::milliseconds duration, const std::stop_token& stop,
                                std::function<void()> done) {
  auto timer = std::make_shared<Pending>(next_id_++, stop,
                                         [done = std::move(done)](const Result<HttpResponse>&) { done(); });
  const auto at = clock_.now() + std::min<std::chrono::milliseconds>(duration, kLongestSleep);
  watch(*timer);
  post([&] { inbox_.timers.emplace_back(at, std::move(timer)); });
}

void CurlTransport::Loop::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  if (!thread_.joinable()) return;
  changed_.notify_all();
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

// Before it is posted. A stop that comes even sooner is seen when it is added.
void CurlTransport::Loop::watch(Pending& pending) {
  // The loop outlives what is pending.
  pending.watch([this, id = pending.id()] { post([&] { inbox_.cancelled.push_back(id); }); });
}

void CurlTransport::Loop::post(const auto& add) {
  std::lock_guard lock(mutex_);
  const bool first = inbox_.empty();
  add();
  if (driver_ == Driver::nobody) {
    wake_thread();
  } else if (first) {
    curl_multi_wakeup(multi_);
  }
}

void CurlTransport::Loop::wake_thread() {
  if (thread_.joinable()) {
    changed_.notify_all();
  } else if (!stopping_) {
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
  }
}

void CurlTransport::Loop::run() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  pthread_setname_np(pthread_self(), "er-sdk");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return driver_ == Driver::nobody && (stopping_ || has_work()); });
    if (stopping_) break;
    driver_ = Driver::thread;
    lock.unlock();
    drive();
    lock.lock();
    driver_ = Driver::nobody;
  }
  driver_ = Driver::thread;
  lock.unlock();
  end_pending();
}

// Until there is nothing left to do.
void CurlTransport::Loop::drive() {
  while (true) {
    take_inbox();
    perform();
    fire_timers();
    {
      std::lock_guard lock(mutex_);
      if (stopping_ || !has_work()) return;
      if (!inbox_.empty()) continue;
    }
    curl_multi_poll(multi_, nullptr, 0, poll_time(), nullptr);
  }
}

bool CurlTransport::Loop::become_waiter() {
  std::lock_guard lock(mutex_);
  if (driver_ != Driver::nobody || stopping_ || has_work()) return false;
  driver_ = Driver::waiter;
  return true;
}

// Until the attempt has ended, or somebody asks for something else: then the thread goes on with all of it,
// so that no callback of others runs on a thread that may hold locks.
void CurlTransport::Loop::drive_as_waiter(Attempt attempt) {
  const NoSigpipe guard(attempt->is_tls());
  add(std::move(attempt));
  while (true) {
    perform();
    std::unique_lock lock(mutex_);
    const bool done = attempts_by_id_.empty();
    if (done || !inbox_.empty()) {
      driver_ = Driver::nobody;
      if (has_work()) wake_thread();
      return;
    }
    lock.unlock();
    curl_multi_poll(multi_, nullptr, 0, kLongestPoll, nullptr);
  }
}

void CurlTransport::Loop::end_pending() {
  take_inbox();
  auto attempts = std::exchange(attempts_by_id_, {});
  for (auto& [id, attempt] : attempts) {
    curl_multi_remove_handle(multi_, attempt->easy());
    attempt->finish(cancelled());
  }
  auto timers = std::exchange(timers_, {});
  for (auto& [at, timer] : timers) timer->finish(cancelled());
}

void CurlTransport::Loop::take_inbox() {
  Inbox inbox;
  {
    std::lock_guard lock(mutex_);
    std::swap(inbox, inbox_);
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
}

void CurlTransport::Loop::add(Attempt attempt) {
  if (attempt->stop_requested()) return attempt->finish(cancelled());
  EasyHandle easy;
  if (idle_.empty()) {
    easy = make_easy(options_);
  } else {
    easy = std::move(idle_.back());
    idle_.pop_back();
  }
  if (!easy) return attempt->finish(fail(ErrorKind::protocol, "libcurl has no memory left"));
  ++attempts_;
  attempt->prepare(std::move(easy), options_.max_response_bytes);
  curl_multi_add_handle(multi_, attempt->easy());
  attempts_by_id_.emplace(attempt->id(), std::move(attempt));
}

void CurlTransport::Loop::perform() {
  int running = 0;
  curl_multi_perform(multi_, &running);
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

void CurlTransport::Loop::retire(CurlAttempt& attempt) {
  long opened = 0;
  curl_easy_getinfo(attempt.easy(), CURLINFO_NUM_CONNECTS, &opened);
  connections_ += static_cast<std::uint64_t>(std::max(opened, 0L));
  curl_multi_remove_handle(multi_, attempt.easy());
  EasyHandle easy = attempt.release_easy();
  if (idle_.size() < kIdleHandles) idle_.push_back(std::move(easy));
}

void CurlTransport::Loop::cancel(std::uint64_t id) {
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

void CurlTransport::Loop::fire_timers() {
  while (!timers_.empty() && timers_.begin()->first <= clock_.now()) {
    const Timer timer = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    timer->finish(cancelled());
  }
}

int CurlTransport::Loop::poll_time() const {
  if (timers_.empty()) return kLongestPoll;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - clock_.now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongestPoll));
}

CurlTransport::CurlTransport(TransportOptions options) : loop_(std::make_shared<Loop>(std::move(options))) {}
CurlTransport::~CurlTransport() {
  loop_->stop();
}

void CurlTransport::send(HttpRequest request, std::stop_token stop, ResponseHandler done) {
  loop_->send(std::move(request), stop, std::move(done));
}

Result<HttpResponse> CurlTransport::send_and_wait(HttpRequest request, std::stop_token stop) {
  return loop_->send_and_wait(std::move(request), stop);
}

void CurlTransport::sleep(std::chrono::milliseconds duration, std::stop_token stop,
                          std::function<void()> done) {
  loop_->sleep(duration, stop, std::move(done));
}

CurlTransport::Counts CurlTransport::counts() const noexcept {
  return loop_->counts();
}

}  // namespace embedrouter::sdk::inline v0
