#pragma once
#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "routing/endpoint_state.h"

namespace embedrouter::routing {

// An endpoint under consideration, with the embedder that calls it and what is known of it. Does not
// own.
struct Candidate {
  const catalog::Endpoint* endpoint = nullptr;
  embed::Embedder* embedder = nullptr;
  EndpointState* state = nullptr;
  Standing standing = Standing::stable;  // when the request was routed
};

inline embed::CandidateRecord record_of(const Candidate& candidate, std::string excluded_by = {}) {
  const catalog::Endpoint& endpoint = *candidate.endpoint;
  return {endpoint.id, endpoint.provider_name, endpoint.model->id, std::move(excluded_by)};
}

}  // namespace embedrouter::routing
