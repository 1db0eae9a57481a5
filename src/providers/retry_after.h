#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace embedrouter::providers {

// Where a provider says how long it wants to be left alone. Views; empty where it said nothing there.
struct RetryHints {
  std::string_view retry_after_ms = {};  // milliseconds, what all official clients prefer
  std::string_view retry_after = {};     // seconds, fractions too, or a date in a form of RFC 9110, 5.6.7
  std::string_view reset_requests = {};  // x-ratelimit-reset-requests: "6m0s", seconds, or an epoch
  std::string_view reset_tokens = {};    // x-ratelimit-reset-tokens
  std::string_view reset_all = {};       // x-ratelimit-reset
  // "… retry after 55 seconds", "try again in 1.2s", "regain access on 2026-12-01 at 00:00 UTC"
  std::string_view message = {};
};

// What a caller is told at most, whatever a provider says: it would be obeyed in full.
inline constexpr std::chrono::milliseconds kLongestWait{60'000};
// What is believed at most of a balance that is spent: it may be filled up before.
inline constexpr std::chrono::milliseconds kLongestDrought = std::chrono::hours(24);

// The first of the hints that can be read, at most `longest`; a date that is past is 0. Of the resets
// the latest. nullopt where nothing was said, or only what is no time ("-3", "soon").
std::optional<std::chrono::milliseconds> wait_of(const RetryHints& hints, Clock::Wall now,
                                                 std::chrono::milliseconds longest = kLongestWait);

}  // namespace embedrouter::providers
