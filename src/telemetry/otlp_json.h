#pragma once
#include <span>
#include <string>
#include <vector>

#include "telemetry/span.h"

namespace embedrouter::telemetry {

// ExportTraceServiceRequest in the JSON encoding of OTLP (opentelemetry.io/docs/specs/otlp): ids in hex,
// 64-bit integers as strings. `resource` says who sends.
std::string encode_spans(const std::vector<Attribute>& resource, std::span<const Span> spans);

}  // namespace embedrouter::telemetry
