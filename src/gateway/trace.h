#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/error_body.h"
#include "embed/call.h"
#include "embedrouter/error.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {

struct Gateway::Trace {
  Clock::Steady start;
  Clock::Wall wall_start;
  std::string id;                                // the generation id, which is the request id too
  std::string operation = "none";                // name of the operation, for metrics
  std::string_view route;                        // its path in the table; empty: none was found
  std::string key_label;                         // of the caller, for the log
  std::shared_ptr<const ledger::KeyRecord> key;  // null: none, or not a good one
  std::string model, provider;                   // that served
  std::size_t items = 0;
  std::uint64_t tokens = 0;
  std::size_t request_bytes = 0;  // of the body, compression taken off
  std::vector<embed::AttemptRecord> attempts;
  std::optional<ErrorCode> error;
  std::string detail;     // of the error, for the log alone
  api::ErrorStory story;  // what routing adds to the error

  std::optional<TraceContext> context;  // its span is this request's own; nullopt: nobody traces it
  std::uint64_t parent_span = 0;        // the caller's; 0: none
  std::string state;                    // the caller's `tracestate`

  std::chrono::nanoseconds read{0}, decode{0}, encode{0};
  embed::StageTimes times;
};

}  // namespace embedrouter::gateway
