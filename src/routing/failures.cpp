#include "routing/failures.h"

#include <algorithm>

namespace embedrouter::routing {
namespace {

constexpr int kTooManyRequests = 429;

bool may_heal(const Error& error) {
  return error.http_status() >= 500 || error.http_status() == kTooManyRequests;
}

std::optional<std::chrono::milliseconds> shortest_wait(const std::vector<Error>& failures) {
  std::optional<std::chrono::milliseconds> shortest;
  for (const Error& failure : failures) {
    const auto wait = failure.retry_after();
    if (wait && (!shortest || *wait < *shortest)) shortest = wait;
  }
  return shortest;
}

}  // namespace

Error outcome_of_failures(std::vector<Error> failures) {
  Error last = failures.back();
  std::erase_if(failures, [](const Error& failure) { return !may_heal(failure); });
  if (failures.empty()) return last;
  last = failures.back();
  const bool one_status = std::ranges::all_of(
      failures, [&](const Error& failure) { return failure.http_status() == last.http_status(); });
  const auto wait = shortest_wait(failures);
  if (!one_status) {
    Error mixed(
        ErrorCode::upstreams_failed,
        "every endpoint that may answer failed, each in its own way; the last one: " + last.message());
    last = std::move(mixed).with_detail(last.detail()).with_provider(last.provider(), last.provider_code());
  }
  if (wait) last = std::move(last).with_retry_after(*wait);
  return last;
}

}  // namespace embedrouter::routing
