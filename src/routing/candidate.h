#pragma once
#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "embed/endpoint_statistics.h"

namespace embedrouter::routing {

// An endpoint under consideration, with the embedder that calls it and what was measured of it. Does not
// own.
struct Candidate {
  const catalog::Endpoint* endpoint = nullptr;
  embed::Embedder* embedder = nullptr;
  const embed::EndpointStatistics* statistics = nullptr;
};

inline embed::CandidateRecord record_of(const Candidate& candidate, std::string excluded_by = {}) {
  const catalog::Endpoint& endpoint = *candidate.endpoint;
  return {endpoint.id, endpoint.provider_name, endpoint.model->id, std::move(excluded_by)};
}

}  // namespace embedrouter::routing
