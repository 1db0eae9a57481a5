#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "embedrouter/error.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {

struct Gateway::Trace {
  std::chrono::steady_clock::time_point start;
  std::string id;                  // the generation id, which is the request id too
  std::string operation = "none";  // name of the operation, for metrics
  std::string key_label;           // of the caller, for the log
  std::string model, provider;     // that served
  std::size_t items = 0;
  std::uint64_t tokens = 0;
  int attempts = 0;
  std::optional<ErrorCode> error;
  std::string detail;       // of the error, for the log alone
  bool processing = false;  // the client may be told that work goes on
};

}  // namespace embedrouter::gateway
