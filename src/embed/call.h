#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/trace_context.h"
#include "embedrouter/error.h"

namespace embedrouter::embed {

// One call to one endpoint, as it ended.
struct AttemptRecord {
  std::string endpoint;  // "openai/text-embedding-3-small@openai"
  std::string provider;  // display name
  bool ok = false;
  ErrorCode code = ErrorCode::internal;  // if not ok
  int status = 0;                        // what the upstream answered; else what the failure is to the caller
  std::chrono::milliseconds took{0};
  std::chrono::steady_clock::time_point started{};
  std::string answered_model;  // the name the upstream gave, where it is another than the one asked for
  std::uint64_t span = 0;      // its id in the request's trace
};

// Where the time of a request went, summed over its attempts.
struct StageTimes {
  std::chrono::nanoseconds queue{0};      // waiting for the embedded model
  std::chrono::nanoseconds inference{0};  // in it
  std::chrono::nanoseconds upstream{0};   // from asking a provider to its whole answer
  std::chrono::nanoseconds gate{0};       // looking at answers
};

// An endpoint of the model that was asked for. The views are of the catalog.
struct CandidateRecord {
  std::string_view endpoint, provider, model;  // id; display name; canonical id
  std::string excluded_by;                     // member of the request that took it out; empty: it may answer
};

// What belongs to one request of a caller while it is being answered, and the story of how: "why did it go
// there?". Lives in the gateway's coroutine; used from one thread.
struct Call {
  Call(std::string id, std::chrono::steady_clock::time_point until)
      : request_id(std::move(id)), deadline(until) {}

  std::string request_id;  // the generation id
  std::chrono::steady_clock::time_point deadline;
  bool canary = false;         // the router's own texts: the gate reads all values, no statistics are kept
  bool last_endpoint = false;  // no other can be asked after the one that is: worth waiting for
  std::string pinned_space;  // X-Embedrouter-Space: an answer of another space is refused; empty: none pinned
  // All endpoints of the model: those that may answer in the order they are tried in, then the others.
  std::vector<CandidateRecord> candidates;
  std::vector<AttemptRecord> attempts;
  StageTimes times;

  // The trace this request belongs to, its span being the request's own; upstreams are told of it. nullopt:
  // there is none.
  std::optional<TraceContext> trace;
  std::string trace_state;  // the caller's `tracestate`, passed on as it came; may be empty
  // Of the attempt that begins: the caller of what the upstream does. Others of the request may begin beside
  // it, so it is read before anything is awaited.
  std::uint64_t attempt_span = 0;

  void begin_attempt() noexcept {
    if (!trace) return;
    // Ids of one trace must differ, no more: an odd step from the request's own visits each number once.
    constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
    attempt_span = (attempt_span == 0 ? trace->span : attempt_span) + kStep;
    if (attempt_span == 0) attempt_span = kStep;
  }
};

}  // namespace embedrouter::embed
