#pragma once
#include <utility>

#include "api/embed_request.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {

// A request for embeddings that is all there and can be read, and the room it takes.
struct Gateway::Arrived {
  Arrived(InFlight::Permit held, api::DecodedRequest read)
      : permit(std::move(held)), decoded(std::move(read)) {}

  InFlight::Permit permit;
  api::DecodedRequest decoded;
};

}  // namespace embedrouter::gateway
