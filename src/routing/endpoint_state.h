#pragma once
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "embed/endpoint_statistics.h"
#include "embed/learned_limits.h"
#include "embed/places.h"
#include "routing/health.h"
#include "routing/retry_budget.h"
#include "routing/spaces.h"

namespace embedrouter::routing {

// What is known of one endpoint now. Shared by all I/O threads; every member is thread-safe by itself.
struct EndpointState {
  embed::EndpointStatistics statistics;
  embed::Places places;
  embed::LearnedLimits learned;
  Health health;
  RetryBudget retries;
  SpaceStanding space;
};

// The state of every endpoint by its id. Lives above the threads and the catalog, so that what was learnt
// outlasts a change of the configuration. Thread-safe.
class EndpointStates {
 public:
  // Made on first use; the reference stays good.
  EndpointState& of(std::string_view endpoint) {
    const std::lock_guard lock(mutex_);
    const auto found = by_endpoint_.find(endpoint);
    if (found != by_endpoint_.end()) return found->second;
    return by_endpoint_.try_emplace(std::string(endpoint)).first->second;
  }
  // Every one there has been: visit(id, state). No other is made meanwhile.
  void for_each(const auto& visit) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, state] : by_endpoint_) visit(id, state);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, EndpointState, std::less<>> by_endpoint_;
};

}  // namespace embedrouter::routing
