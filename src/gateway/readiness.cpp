#include "gateway/readiness.h"

#include <boost/asio/this_coro.hpp>
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

Probe::Probe(Readiness& readiness, std::size_t thread, std::unique_ptr<embed::Embedder> model,
             embed::VectorContract contract)
    : readiness_(readiness), thread_(thread), model_(std::move(model)), gate_(contract) {}

Task<void> Probe::run() {
  const auto executor = co_await asio::this_coro::executor;
  Timer timer(executor);
  for (;;) {
    if (model_) {
      co_await embed();
    } else {
      readiness_.works(thread_);
    }
    timer.expires_after(readiness_.interval());
    co_await timer.async_wait(kAwait);
  }
}

Task<void> Probe::embed() {
  const api::Item item{"ready?", {}};
  api::EmbedRequest request;
  request.model = model_->name();
  request.items = std::span(&item, 1);
  embed::Call call("readiness", Clock::Steady::max());
  auto reply = co_await model_->embed(request, call);
  if (!reply) co_return readiness_.failed(thread_, reply.error());
  if (auto passed = gate_.inspect(request, *reply); !passed)
    co_return readiness_.failed(thread_, passed.error());
  readiness_.works(thread_);
}

}  // namespace embedrouter::gateway
