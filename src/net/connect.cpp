#include "net/connect.h"

#include <algorithm>
#include <list>
#include <memory>

namespace embedrouter::net {
namespace {

constexpr std::chrono::milliseconds kHeadStart{250};  // RFC 8305 section 5

// The attempts under way. Lives until the last has ended.
struct Race : std::enable_shared_from_this<Race> {
  struct Runner {
    Runner(asio::io_context& io, Tcp::endpoint address) : socket(io.get_executor()), to(std::move(address)) {}
    Socket socket;
    Tcp::endpoint to;
    bool running = true;
  };

  explicit Race(asio::io_context& io_context) : io(io_context), changed(io.get_executor()) {}

  void start(const Tcp::endpoint& address) {
    Runner& runner = runners.emplace_back(io, address);
    ++running;
    runner.socket.async_connect(address, [self = shared_from_this(), &runner](const error_code& failure) {
      self->ended(runner, failure);
    });
  }
  void ended(Runner& runner, const error_code& failure) {
    runner.running = false;
    --running;
    if (over) return;
    if (!failure && !winner) winner = &runner;
    if (failure) {
      error = failure;
      failed.push_back(runner.to);
    }
    changed.notify();
  }
  void end() {
    over = true;
    error_code ignored;
    for (Runner& runner : runners) {
      if (&runner != winner) runner.socket.close(ignored);
    }
  }

  asio::io_context& io;
  Signal changed;
  std::list<Runner> runners;
  std::size_t running = 0;
  Runner* winner = nullptr;
  bool over = false;
  error_code error;
  std::vector<Tcp::endpoint> failed;
};

// The race is over when the task is, however that ends.
class Referee {
 public:
  explicit Referee(asio::io_context& io) : race_(std::make_shared<Race>(io)) {}
  Referee(const Referee&) = delete;
  Referee& operator=(const Referee&) = delete;
  ~Referee() { race_->end(); }
  Race* operator->() const noexcept { return race_.get(); }

 private:
  std::shared_ptr<Race> race_;
};

}  // namespace

Task<Connected> connect_first(asio::io_context& io, const std::vector<Tcp::endpoint>& addresses,
                              Clock::Steady deadline) {
  Referee race(io);
  Connected result;
  std::size_t next = 0;
  std::size_t failures = 0;
  Clock::Steady next_at = Clock::Steady::min();
  while (!race->winner && result.woken == Woken::notified) {
    const bool one_failed = race->failed.size() > failures;
    failures = race->failed.size();
    if (next < addresses.size() && (one_failed || race->running == 0 || steady_now() >= next_at)) {
      race->start(addresses[next++]);
      next_at = steady_now() + kHeadStart;
      continue;
    }
    if (race->running == 0) break;
    const Clock::Steady until = next < addresses.size() ? std::min(deadline, next_at) : deadline;
    result.woken = co_await race->changed.wait_until(until);
    if (result.woken == Woken::late && steady_now() < deadline) result.woken = Woken::notified;
  }
  result.error = race->error;
  result.failed = race->failed;
  if (race->winner) {
    result.woken = Woken::notified;
    result.peer = race->winner->to;
    result.socket = std::move(race->winner->socket);
    error_code ignored;
    result.socket->set_option(Tcp::no_delay(true), ignored);
  } else if (result.woken == Woken::late) {
    for (const Race::Runner& runner : race->runners) {
      if (runner.running) result.failed.push_back(runner.to);
    }
  }
  co_return result;
}

}  // namespace embedrouter::net
