#pragma once
// When a call is tried again, and how long it waits first. The defaults are those of the official Python SDK.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// The wait behind attempt n = 0, 1, 2 … is min(initial × exponent^n + U(0, jitter), max). A server's
// `retry-after-ms`, or else `Retry-After` (seconds, fractions of them, or a date), replaces it as it stands.
struct Backoff {
  std::chrono::milliseconds initial{500};
  std::chrono::milliseconds max{60'000};
  double exponent = 1.5;
  // Once this much has passed since the call began, no attempt follows.
  std::chrono::milliseconds max_elapsed{3'600'000};
  std::chrono::milliseconds jitter{1'000};
};

// Of a client or a call.
struct RetryConfig {
  bool enabled = true;
  Backoff backoff{};
  // Also failures to connect, timeouts and resets. An answer that breaks off, or a server whose certificate
  // does not verify, is not asked again.
  bool connection_errors = true;
  // "503", "5XX"; empty: "5XX".
  std::vector<std::string> status_codes{};
  // What no official SDK has. At most this many attempts, the first included; 0: no ceiling.
  std::uint32_t max_attempts = 0;
  // The longest wait a server may ask for; a longer one is cut to it. Unset: as long as it says.
  std::optional<std::chrono::milliseconds> max_server_wait{};

  // One attempt.
  static RetryConfig none() {
    RetryConfig config;
    config.enabled = false;
    return config;
  }
};

// What retries wait by, and by what clock. Thread-safe.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  // Calls `done` once, from any thread, when `duration` has passed or a stop is requested.
  virtual void sleep(std::chrono::milliseconds duration, std::stop_token stop,
                     std::function<void()> done) = 0;
  // The same, and waits for the end.
  virtual void sleep_and_wait(std::chrono::milliseconds duration, std::stop_token stop);
};

// Milliseconds since 1970, and a number in [0, 1) for jitter. Thread-safe. Empty functions mean the system's.
struct RetrySources {
  std::function<std::chrono::milliseconds()> now{};
  std::function<double()> uniform{};
};

}  // namespace embedrouter::sdk::inline v0
