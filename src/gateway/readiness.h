#pragma once
#include <embedrouter/error.h>

#include <chrono>
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

  std::chrono::milliseconds interval() const noexcept { return interval_; }
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
  const std::chrono::milliseconds interval_;
  mutable std::mutex mutex_;
  bool draining_ = false;
  std::vector<Thread> threads_;
};

// Tells Readiness, from an I/O thread, that the thread works, an interval after the other: by embedding a
// short text and looking at the vector, or by running at all where no model is embedded.
class Probe {
 public:
  // `readiness` must outlive it. `model`: null without an embedded model. `contract`: of its vectors.
  Probe(Readiness& readiness, std::size_t thread, std::unique_ptr<embed::Embedder> model,
        embed::VectorContract contract);
  // Never ends; the probe must outlive it.
  Task<void> run();

 private:
  Task<void> embed();

  Readiness& readiness_;
  const std::size_t thread_;
  std::unique_ptr<embed::Embedder> model_;
  embed::Gate gate_;
};

}  // namespace embedrouter::gateway
