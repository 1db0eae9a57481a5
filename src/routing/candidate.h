#pragma once
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "routing/measured.h"

namespace embedrouter::routing {

// An endpoint under consideration, with the embedder that calls it and what this thread has measured of it.
// Does not own.
struct Candidate {
  const catalog::Endpoint* endpoint = nullptr;
  embed::Embedder* embedder = nullptr;
  Measured* measured = nullptr;
};

}  // namespace embedrouter::routing
