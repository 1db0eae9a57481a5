#pragma once
#include <embedrouter/result.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "telemetry/span.h"

namespace embedrouter::telemetry {

struct ExporterOptions {
  std::string url;  // of the collector: "http://127.0.0.1:4318"; "/v1/traces" is added unless there
  std::vector<Attribute> resource;  // who sends: service.name, service.version, …
};

// Sends spans to an OpenTelemetry collector by OTLP/HTTP with JSON, on a thread of its own: a batch a second,
// or when one is full. The queue is bounded; what does not fit is dropped. A batch the collector cannot take
// now is sent twice more and then dropped. Every span ends in embedrouter_spans_total. Destroying it sends
// what is left, for a few seconds at most.
class Exporter : public SpanSink {
 public:
  static constexpr std::size_t kQueue = 4096;
  static constexpr std::size_t kBatch = 512;

  // `metrics` and `log` must outlive it.
  static Result<std::unique_ptr<Exporter>> start(ExporterOptions options, Metrics& metrics, Log& log);
};

}  // namespace embedrouter::telemetry
