#pragma once
#include <embedrouter/result.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "inference/local_model.h"

namespace embedrouter::inference {

struct PoolOptions {
  std::uint64_t memory = 0;                   // bytes that loaded models may take together
  std::chrono::milliseconds idle_timeout{0};  // a model that nobody has used for so long is put away
};

// What happened to a model. Names and times alone; `error` is for the log.
struct PoolEvent {
  enum class Kind : std::uint8_t { loaded, failed, idle, displaced };  // the last two: put away
  Kind kind;
  std::string_view model;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds took{0};
  const Error* error = nullptr;
};

// Models that are in memory only while they are used: loaded when first asked for, one after the other; put
// away when idle, or when another needs their room, the one used longest ago first; never while a text is in
// them.
//
// Jobs that come while their model loads wait, within the bound of its queue; a cancelled one leaves at once.
// Where the room is too small for all that are wanted, they take turns: who waits longest is next, and what
// must make room gets no new work until it has its next turn, so that everybody gets on.
class ModelPool {
 public:
  using Load = std::function<Result<std::unique_ptr<LocalModel>>()>;
  using Watch = std::function<void(const PoolEvent&)>;  // called on the pool's thread
  // `clock` must outlive it.
  ModelPool(const Clock& clock, PoolOptions options, Watch watch);
  // The models must be gone.
  ~ModelPool();
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;

  struct Member {
    std::string name;
    ModelFacts facts;         // what it will say of itself; a model that says otherwise counts as broken
    std::uint64_t bytes = 0;  // that it takes at most
    std::size_t queue_tokens = 0;
    Load load;  // called on the pool's thread
  };
  // A model of the pool. When it ends, what waits for it fails with shutting_down. The pool must outlive it.
  std::unique_ptr<LocalModel> add(Member member);

  void set_options(const PoolOptions& options);

  struct Usage {
    std::uint64_t bytes = 0, memory = 0;  // in use, and the bound
    std::size_t loaded = 0;
  };
  Usage usage() const;

 private:
  struct Entry;
  class Pooled;
  struct WaitingJob;
  class WaitingTicket;
  using EntryPtr = std::shared_ptr<Entry>;

  void run();
  EntryPtr idle_one(Clock::Steady now, PoolEvent::Kind& why);
  bool fits_next() const;
  EntryPtr displace();
  Clock::Steady next_expiry() const;
  void load_next(std::unique_lock<std::mutex>& lock);
  void put_away(std::unique_lock<std::mutex>& lock, const EntryPtr& entry, PoolEvent::Kind why);
  void enqueue(const EntryPtr& entry);
  void finished(Entry& entry);
  void hand_over(const EntryPtr& entry, WaitingJob job);
  std::shared_ptr<Ticket> submit(const EntryPtr& entry, Job job, LocalModel::Done done);
  void end(const EntryPtr& entry);

  const Clock& clock_;
  const Watch watch_;
  mutable std::mutex mutex_;  // of all below, and of the entries
  std::condition_variable changed_;
  PoolOptions options_;
  std::uint64_t used_ = 0;
  std::vector<EntryPtr> entries_;
  std::deque<EntryPtr> wanted_;  // to be loaded, in this order
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace embedrouter::inference
