#pragma once
// W3C Trace Context (www.w3.org/TR/trace-context): which trace a request belongs to, and who called.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace embedrouter {

struct TraceContext {
  std::uint64_t trace_high = 0, trace_low = 0;  // the trace id; not both 0
  std::uint64_t span = 0;                       // the caller's span, or one's own once it has begun; not 0
  bool sampled = false;                         // the trace is being recorded
};

// The value of a `traceparent` header. nullopt for what the specification says to ignore: another length,
// upper case, ids of zeros, version ff. Of a later version, the parts that are known are read.
std::optional<TraceContext> parse_traceparent(std::string_view value);
// The value of the header that goes on, with `span` as the caller.
std::string traceparent(const TraceContext& trace, std::uint64_t span);

std::string trace_id_text(const TraceContext& trace);  // 32 hex digits
std::string span_id_text(std::uint64_t span);          // 16 hex digits

}  // namespace embedrouter
