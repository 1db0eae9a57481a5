// What is left of a request when it is over: counts, a log line, spans.

#include <algorithm>

#include "gateway/gateway.h"
#include "gateway/meters.h"
#include "gateway/trace.h"
#include "net/field_text.h"

namespace embedrouter::gateway {
namespace {

using std::chrono::nanoseconds;

double seconds_of(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}
double ms_of(nanoseconds time) {
  return seconds_of(time) * 1e3;
}

// The path without what a client should not have put there: a key, or a text.
std::string loggable(std::string_view path) {
  constexpr std::size_t kLongest = 96;
  const std::size_t end = std::min({path.size(), path.find("sk-"), path.find('%'), kLongest});
  return std::string(path.substr(0, end)) + (end < path.size() ? "…" : "");
}

// The name an upstream gave the model of its answer, if it was not the one asked for; of what looks like a
// name.
std::string_view answered_model(const std::vector<embed::AttemptRecord>& attempts) {
  for (const embed::AttemptRecord& attempt : attempts) {
    if (attempt.answered_model.empty()) continue;
    const bool named = std::ranges::all_of(attempt.answered_model, [](char c) {
      return (c >= '-' && c <= ':') || (c >= '@' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
             c == '~';
    });
    return named ? std::string_view(attempt.answered_model) : "(no name)";
  }
  return {};
}

void observe(Histogram& stage, nanoseconds time) {
  if (time.count() > 0) stage.Observe(seconds_of(time));
}

// `tracestate` may come in several fields, which are one list; what is not printable or too long is dropped.
std::string trace_state(const net::Headers& headers) {
  constexpr std::size_t kLongest = 512;
  std::string all;
  for (const net::Header& field : headers.all()) {
    if (field.value.empty() || !net::same_ignoring_case(field.name, "tracestate")) continue;
    if (!all.empty()) all += ',';
    all += field.value;
    if (all.size() > kLongest) return {};
  }
  const bool printable = std::ranges::all_of(all, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? all : std::string();
}

}  // namespace

void Gateway::join_trace(const net::Headers& headers, Trace& trace) {
  const auto caller = parse_traceparent(headers.find("traceparent").value_or(""));
  if (!caller && shared_.spans == nullptr) return;
  TraceContext context = caller.value_or(TraceContext{random_.next(), random_.next() | 1U, 0, true});
  trace.parent_span = context.span;
  context.span = random_.next() | 1U;
  trace.context = context;
  if (caller) trace.state = trace_state(headers);
}

void Gateway::account(const net::Exchange& exchange, const net::Response& response, const Trace& trace) {
  const auto took = shared_.clock->now() - trace.start;
  Meters& meters = *meters_;
  meters.requests(trace.operation, response.status).Increment();
  meters.request_bytes.Increment(static_cast<double>(trace.request_bytes));
  meters.response_bytes.Increment(static_cast<double>(response.body.size()));
  if (trace.operation == "post_embeddings") {
    meters.seconds.Observe(seconds_of(took));
    observe(meters.read, trace.read);
    observe(meters.decode, trace.decode);
    observe(meters.queue, trace.times.queue);
    observe(meters.inference, trace.times.inference);
    observe(meters.upstream, trace.times.upstream);
    observe(meters.gate, trace.times.gate);
    observe(meters.encode, trace.encode);
    if (!trace.error) meters.items.Increment(static_cast<double>(trace.items));
  }
  if (trace.error) meters.errors(*trace.error).Increment();
  if (trace.tokens != 0) meters.tokens.Increment(static_cast<double>(trace.tokens));
  write_log(exchange, response, trace, took);
  if (shared_.spans != nullptr && trace.context && trace.context->sampled)
    offer_spans(exchange.head(), response, trace, took);
}

void Gateway::write_log(const net::Exchange& exchange, const net::Response& response, const Trace& trace,
                        nanoseconds took) {
  if (shared_.log->enabled(LogLevel::debug)) {
    for (const embed::AttemptRecord& attempt : trace.attempts) {
      shared_.log->debug("attempt", {{"id", trace.id},
                                     {"endpoint", attempt.endpoint},
                                     {"code", attempt.ok ? std::string_view() : traits(attempt.code).name},
                                     {"ms", attempt.took.count()}});
    }
  }
  if (!shared_.log->enabled(LogLevel::info)) return;
  const std::string path = loggable(exchange.head().path);
  shared_.log->info("request", {{"id", trace.id},
                                {"trace_id", trace.context ? trace_id_text(*trace.context) : ""},
                                {"span_id", trace.context ? span_id_text(trace.context->span) : ""},
                                {"peer", exchange.peer()},
                                {"operation", trace.operation},
                                {"method", exchange.head().method},
                                {"path", path},
                                {"status", response.status},
                                {"code", trace.error ? traits(*trace.error).name : std::string_view()},
                                {"detail", trace.detail},
                                {"model", trace.model},
                                {"answered_model", answered_model(trace.attempts)},
                                {"provider", trace.provider},
                                {"key", trace.key_label},
                                {"inputs", trace.items},
                                {"tokens", trace.tokens},
                                {"attempts", trace.attempts.size()},
                                {"request_bytes", trace.request_bytes},
                                {"response_bytes", response.body.size()},
                                {"read_ms", ms_of(trace.read)},
                                {"queue_ms", ms_of(trace.times.queue)},
                                {"inference_ms", ms_of(trace.times.inference)},
                                {"upstream_ms", ms_of(trace.times.upstream)},
                                {"ms", ms_of(took)}});
}

void Gateway::offer_spans(const net::RequestHead& head, const net::Response& response, const Trace& trace,
                          nanoseconds took) {
  const auto wall = [&](Clock::Steady time) {
    return trace.wall_start + std::chrono::duration_cast<Clock::Wall::duration>(time - trace.start);
  };
  for (const embed::AttemptRecord& attempt : trace.attempts) {
    telemetry::Span span;
    span.trace = *trace.context;
    span.trace.span = attempt.span;
    span.parent = trace.context->span;
    span.name = "embeddings " + attempt.endpoint;
    span.kind = telemetry::SpanKind::client;
    span.start = wall(attempt.started);
    span.end = span.start + attempt.took;
    span.attributes = {{"gen_ai.operation.name", "embeddings"},
                       {"gen_ai.provider.name", attempt.provider},
                       {"embedrouter.endpoint", attempt.endpoint}};
    if (!attempt.ok) {
      span.error = traits(attempt.code).name;
      span.attributes.push_back({"error.type", span.error});
    }
    shared_.spans->offer(std::move(span));
  }
  telemetry::Span span;
  span.trace = *trace.context;
  span.parent = trace.parent_span;
  span.name = std::string(head.method) + (trace.route.empty() ? "" : " " + std::string(trace.route));
  span.start = trace.wall_start;
  span.end = wall(trace.start + took);
  span.attributes = {{"http.request.method", std::string(head.method)},
                     {"url.path", loggable(head.path)},
                     {"http.response.status_code", std::int64_t{response.status}},
                     {"embedrouter.request_id", trace.id}};
  if (!trace.route.empty()) span.attributes.push_back({"http.route", std::string(trace.route)});
  if (!trace.model.empty()) span.attributes.push_back({"gen_ai.response.model", trace.model});
  if (trace.tokens != 0)
    span.attributes.push_back({"gen_ai.usage.input_tokens", static_cast<std::int64_t>(trace.tokens)});
  if (trace.error) span.attributes.push_back({"error.type", std::string(traits(*trace.error).name)});
  if (trace.error && response.status >= 500) span.error = traits(*trace.error).name;
  shared_.spans->offer(std::move(span));
}

}  // namespace embedrouter::gateway
