#pragma once
// What the operator is told of the endpoints' health (docs/health.md).

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "routing/endpoint_state.h"
#include "routing/router.h"

namespace embedrouter::apps {

// Writes a log line and counts when a breaker opens or closes. Thread-safe. All three must outlive it.
routing::HealthListener health_listener(const Clock& clock, Log& log, Metrics& metrics);

// Shows the state of every endpoint when the metrics are asked. All must outlive the metrics' last render().
void watch_health(Metrics& metrics, routing::EndpointStates& states, const Clock& clock);

}  // namespace embedrouter::apps
