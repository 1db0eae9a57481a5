#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "embedrouter/error.h"

namespace embedrouter::embed {

// One call to one endpoint, as it ended.
struct AttemptRecord {
  std::string endpoint;  // "openai/text-embedding-3-small@openai"
  std::string provider;  // display name
  bool ok = false;
  ErrorCode code = ErrorCode::internal;  // if not ok
  int upstream_status = 0;               // HTTP status the upstream answered, 0 if none
  std::chrono::milliseconds took{0};
};

// What belongs to one request of a caller while it is being answered, and the story of how: "why did it go
// there?". Lives in the gateway's coroutine; used from one thread.
struct Call {
  Call(std::string id, std::chrono::steady_clock::time_point until)
      : request_id(std::move(id)), deadline(until) {}

  std::string request_id;  // the generation id
  std::chrono::steady_clock::time_point deadline;
  std::string pinned_space;  // X-Embedrouter-Space: an answer of another space is refused; empty: none pinned
  std::vector<AttemptRecord> attempts;
};

}  // namespace embedrouter::embed
