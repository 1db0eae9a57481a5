#pragma once
// A stretch of work in a distributed trace, as OpenTelemetry has it.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/trace_context.h"

namespace embedrouter::telemetry {

enum class SpanKind : std::uint8_t { server = 2, client = 3 };  // OTLP's numbers

struct Attribute {
  std::string key;
  std::variant<std::string, std::int64_t> value;
};

struct Span {
  TraceContext trace;        // `trace.span` is this span's id
  std::uint64_t parent = 0;  // 0: none
  std::string name;
  SpanKind kind = SpanKind::server;
  Clock::Wall start, end;
  std::vector<Attribute> attributes;  // never a key, never input text
  std::string error;                  // what failed; empty: nothing did
};

// Where finished spans go. Thread-safe.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Never waits: what cannot be kept is dropped and counted.
  virtual void offer(Span span) = 0;
};

}  // namespace embedrouter::telemetry
