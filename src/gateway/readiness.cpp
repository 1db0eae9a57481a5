#include "gateway/readiness.h"

#include <boost/asio/as_tuple.hpp>
#include <utility>

namespace embedrouter::gateway {
namespace {

std::string in_seconds(std::chrono::nanoseconds time) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

Readiness::Readiness(const Clock& clock, std::chrono::milliseconds interval, std::size_t threads)
    : clock_(clock), interval_(interval), threads_(threads) {}

std::chrono::milliseconds Readiness::interval() const {
  const std::lock_guard lock(mutex_);
  return interval_;
}

void Readiness::set_interval(std::chrono::milliseconds interval) {
  const std::lock_guard lock(mutex_);
  interval_ = interval;
}

void Readiness::works(std::size_t thread) {
  const std::lock_guard lock(mutex_);
  threads_[thread] = {clock_.now(), {}};
}

void Readiness::failed(std::size_t thread, const Error& why) {
  const std::lock_guard lock(mutex_);
  threads_[thread].last_failure = why.message();
}

void Readiness::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

std::optional<Error> Readiness::fault() const {
  const std::lock_guard lock(mutex_);
  if (draining_) return Error(ErrorCode::shutting_down, "the router is shutting down");
  const auto now = clock_.now();
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const Thread& thread = threads_[i];
    const std::string who = "I/O thread " + std::to_string(i);
    const std::string why = thread.last_failure.empty() ? "" : ": " + thread.last_failure;
    if (!thread.worked) return Error(ErrorCode::not_ready, who + " has not done its first work yet" + why);
    const auto silent = now - *thread.worked;
    if (silent > 2 * interval_) {
      return Error(ErrorCode::not_ready, "the last success of " + who + " at a test of its own is " +
                                             in_seconds(silent) + " ago, more than two intervals" + why);
    }
  }
  return std::nullopt;
}

Probe::Probe(Readiness& readiness, std::size_t thread, const Executor& executor)
    : readiness_(readiness), thread_(thread), timer_(executor) {}

void Probe::use(std::shared_ptr<embed::Embedder> model, embed::VectorContract contract, Busy busy) {
  subject_.reset();
  if (model)
    subject_ = std::make_shared<Subject>(Subject{std::move(model), embed::Gate(contract), std::move(busy)});
  timer_.cancel();
}

Task<void> Probe::run() {
  for (;;) {
    if (subject_) {
      auto subject = subject_;
      co_await embed(std::move(subject));
    } else {
      readiness_.works(thread_);
    }
    timer_.expires_after(readiness_.interval());
    co_await timer_.async_wait(asio::as_tuple(kAwait));
  }
}

// `subject` is this task's own: another may take its place meanwhile.
Task<void> Probe::embed(std::shared_ptr<Subject> subject) {
  const api::Item item{"ready?", {}};
  api::EmbedRequest request;
  request.model = subject->model->name();
  request.items = std::span(&item, 1);
  embed::Call call("readiness", Clock::Steady::max());
  auto reply = co_await subject->model->embed(request, call);
  if (!reply) co_return readiness_.failed(thread_, reply.error());
  if (auto passed = subject->gate.inspect(request, *reply); !passed)
    co_return readiness_.failed(thread_, passed.error());
  if (const auto busy = subject->busy(); busy > readiness_.interval()) {
    co_return readiness_.failed(
        thread_,
        Error(ErrorCode::not_ready,
              "a compute thread of the embedded model has been at one batch for " + in_seconds(busy)));
  }
  readiness_.works(thread_);
}

}  // namespace embedrouter::gateway
