#pragma once
#include <optional>
#include <vector>

#include "embedrouter/error.h"

namespace embedrouter::routing {

// What a request comes to when every endpoint it was given to has failed (CONTRACT 6.1, 7;
// docs/failure_policy.md). What may heal is told before what will not: all of it 429, a 429 with the shortest
// wait; all of one status, that one; of several, a 503. With nothing that may heal, the last failure stands.
// `failures`: one per endpoint, at least one.
Error outcome_of_failures(std::vector<Error> failures);

}  // namespace embedrouter::routing
