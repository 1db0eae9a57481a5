#pragma once
// Why a request went where it did, as answers tell it (CONTRACT 3.4 and 8).

#include <embedrouter/error.h>

#include <chrono>
#include <string>
#include <string_view>

#include "api/error_body.h"
#include "embed/call.h"
#include "net/message.h"

namespace embedrouter::gateway {

// True if the caller asks for openrouter_metadata.
bool wants_metadata(const net::Headers& headers);

// openrouter_metadata. `requested`: the model as the caller named it. `took`: since the headers came.
std::string router_metadata(const embed::Call& call, std::string_view requested,
                            std::chrono::nanoseconds took);

// error.availability; empty where the error is not about who could answer.
std::string availability(const Error& error, const embed::Call& call, std::string_view requested);

// error.metadata.previous_errors; empty if no attempt failed.
std::string previous_errors(const embed::Call& call);

}  // namespace embedrouter::gateway
