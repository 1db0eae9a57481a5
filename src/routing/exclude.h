#pragma once
// Why an endpoint may not answer a request (CONTRACT 6.1 and 6.3). Knows no embedder: what embeds in process
// asks, too.

#include <embedrouter/error.h>

#include <optional>
#include <span>
#include <string>

#include "api/embed_request.h"
#include "catalog/catalog.h"

namespace embedrouter::routing {

// Why an endpoint is out. `parameter`: a member of the request that would change vectors and that the
// endpoint cannot honour (a 400 if it leaves nothing). Otherwise a preference or policy took it out (a 404 if
// that leaves nothing).
struct Exclusion {
  ErrorCode code = ErrorCode::no_endpoint;
  std::string parameter;  // "dimensions", "provider.only"
  std::string reason;     // for people: "its vectors are 384 wide and cannot be cut"
};

// nullopt if `endpoint` may answer `request`. `admitted`: the service tier that the model's suffix lets in.
std::optional<Exclusion> exclude(const catalog::Endpoint& endpoint, const api::EmbedRequest& request,
                                 catalog::Tier admitted = catalog::Tier::standard);

// The failure when these took out every endpoint of a model.
Error nothing_left(std::span<const Exclusion> out);
// When none of them is in the space that the caller pins.
Error nothing_in_space();

}  // namespace embedrouter::routing
