#pragma once
#include <embedrouter/error.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "embed/embedder.h"
#include "embed/gate.h"

namespace embedrouter::gateway {

// Whether the router should be sent requests: every I/O thread has shown within two intervals that it works.
// Thread-safe.
class Readiness {
 public:
  // `clock` must outlive it.
  Readiness(const Clock& clock, std::chrono::milliseconds interval, std::size_t threads);

  std::chrono::milliseconds interval() const;
  void set_interval(std::chrono::milliseconds interval);
  // I/O thread `thread` works.
  void works(std::size_t thread);
  // Its last try failed. It is not ready only when no try succeeds within two intervals.
  void failed(std::size_t thread, const Error& why);
  // The router is shutting down, for good.
  void drain();
  // Why it is not ready; nullopt: it is.
  std::optional<Error> fault() const;

 private:
  struct Thread {
    std::optional<Clock::Steady> worked;
    std::string last_failure;  // since then
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::chrono::milliseconds interval_;
  bool draining_ = false;
  std::vector<Thread> threads_;
};

// Tells Readiness, from an I/O thread, that the thread works, an interval after the other: by embedding a
// short text and looking at the vector, or by running at all where no model is embedded.
class Probe {
 public:
  // `readiness` must outlive it. `executor`: the I/O thread's.
  Probe(Readiness& readiness, std::size_t thread, const Executor& executor);
  // How long the model's slowest compute thread has been at its present piece of work.
  using Busy = std::function<std::chrono::nanoseconds()>;
  // What it embeds with from now on, and at once; null: nothing is embedded here. `contract`: of its vectors.
  // A model of which a thread is busy for more than an interval does not work, whatever the others do. On the
  // I/O thread, or before it runs.
  void use(std::shared_ptr<embed::Embedder> model, embed::VectorContract contract, Busy busy);
  // Never ends; the probe must outlive it.
  Task<void> run();

 private:
  struct Subject {
    std::shared_ptr<embed::Embedder> model;
    embed::Gate gate;
    Busy busy;
  };
  Task<void> embed(std::shared_ptr<Subject> subject);

  Readiness& readiness_;
  const std::size_t thread_;
  Timer timer_;
  std::shared_ptr<Subject> subject_;  // null: nothing to embed with
};

}  // namespace embedrouter::gateway
