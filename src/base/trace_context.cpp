#include "base/trace_context.h"

#include <algorithm>

namespace embedrouter {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
// "00-" trace id "-" span id "-" flags
constexpr std::size_t kTraceAt = 3, kSpanAt = 36, kFlagsAt = 53, kLength = 55;

bool is_hex(std::string_view text) {
  return text.find_first_not_of(kDigits) == std::string_view::npos;
}

std::uint64_t number(std::string_view hex) {
  std::uint64_t value = 0;
  for (const char digit : hex) value = value * 16 + kDigits.find(digit);
  return value;
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15U];
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view value) {
  if (value.size() < kLength) return std::nullopt;
  const std::string_view version = value.substr(0, 2);
  if (!is_hex(version) || version == "ff") return std::nullopt;
  if (value.size() > kLength && (version == "00" || value[kLength] != '-')) return std::nullopt;
  for (const std::size_t dash : {kTraceAt, kSpanAt, kFlagsAt}) {
    if (value[dash - 1] != '-') return std::nullopt;
  }
  const std::string_view trace = value.substr(kTraceAt, 32);
  const std::string_view span = value.substr(kSpanAt, 16);
  const std::string_view flags = value.substr(kFlagsAt, 2);
  if (!is_hex(trace) || !is_hex(span) || !is_hex(flags)) return std::nullopt;
  const TraceContext context{number(trace.substr(0, 16)), number(trace.substr(16)), number(span),
                             (number(flags) & 1U) != 0};
  if ((context.trace_high == 0 && context.trace_low == 0) || context.span == 0) return std::nullopt;
  return context;
}

std::string traceparent(const TraceContext& trace, std::uint64_t span) {
  return "00-" + trace_id_text(trace) + "-" + span_id_text(span) + (trace.sampled ? "-01" : "-00");
}

std::string trace_id_text(const TraceContext& trace) {
  std::string text;
  append_hex(text, trace.trace_high);
  append_hex(text, trace.trace_low);
  return text;
}

std::string span_id_text(std::uint64_t span) {
  std::string text;
  append_hex(text, span);
  return text;
}

}  // namespace embedrouter
