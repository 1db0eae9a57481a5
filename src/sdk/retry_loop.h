#pragma once
// Retries as a state machine: told what came and when, it says how long to wait, or that it is over. No I/O,
// no clock, no chance of its own.

#include <embedrouter/client_error.h>
#include <embedrouter/retry.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace embedrouter::sdk {

class RetryLoop {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Times are milliseconds since 1970.
  RetryLoop(RetryConfig config, Milliseconds start) : config_(std::move(config)), start_(start) {}

  // What the attempt came to, at `now`; `uniform` is in [0, 1). The wait before the next attempt, or nothing:
  // the call ends with this.
  std::optional<Milliseconds> next(const Result<HttpResponse>& answer, Milliseconds now, double uniform);

  // Attempts that were made.
  std::uint32_t attempts() const noexcept { return attempts_; }

 private:
  bool is_retryable(const Result<HttpResponse>& answer) const;

  RetryConfig config_;
  Milliseconds start_;
  std::uint32_t attempts_ = 0;
};

// The wait a server asks for: `retry-after-ms`, else `Retry-After`. Nothing when it asks for none, for zero,
// or in no known form.
std::optional<std::chrono::milliseconds> server_wait(const Headers& headers, std::chrono::milliseconds now);

}  // namespace embedrouter::sdk
