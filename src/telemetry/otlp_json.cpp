#include "telemetry/otlp_json.h"

#include <chrono>

#include "base/json_text.h"

namespace embedrouter::telemetry {
namespace {

void append_attributes(std::string& out, const std::vector<Attribute>& attributes) {
  out += R"("attributes":[)";
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    out += i == 0 ? R"({"key":)" : R"(,{"key":)";
    append_json_string(out, attributes[i].key);
    if (const auto* text = std::get_if<std::string>(&attributes[i].value)) {
      out += R"(,"value":{"stringValue":)";
      append_json_string(out, *text);
      out += "}}";
    } else {
      out += R"(,"value":{"intValue":")" + std::to_string(std::get<std::int64_t>(attributes[i].value)) +
             R"("}})";
    }
  }
  out += ']';
}

std::string nanoseconds(Clock::Wall time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  return std::to_string(since.count());
}

void append_span(std::string& out, const Span& span) {
  constexpr auto kStatusError = R"(,"status":{"code":2,"message":)";
  out +=
      R"({"traceId":")" + trace_id_text(span.trace) + R"(","spanId":")" + span_id_text(span.trace.span) + '"';
  if (span.parent != 0) out += R"(,"parentSpanId":")" + span_id_text(span.parent) + '"';
  out += R"(,"name":)";
  append_json_string(out, span.name);
  out += R"(,"kind":)" + std::to_string(static_cast<int>(span.kind));
  out += R"(,"startTimeUnixNano":")" + nanoseconds(span.start) + R"(","endTimeUnixNano":")" +
         nanoseconds(span.end);
  out += R"(",)";
  append_attributes(out, span.attributes);
  if (!span.error.empty()) {
    out += kStatusError;
    append_json_string(out, span.error);
    out += '}';
  }
  out += '}';
}

}  // namespace

std::string encode_spans(const std::vector<Attribute>& resource, std::span<const Span> spans) {
  std::string out = R"({"resourceSpans":[{"resource":{)";
  append_attributes(out, resource);
  out += R"(},"scopeSpans":[{"scope":{"name":"embedrouter"},"spans":[)";
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i != 0) out += ',';
    append_span(out, spans[i]);
  }
  out += "]}]}]}";
  return out;
}

}  // namespace embedrouter::telemetry
