#pragma once
#include <embedrouter/result.h>

#include <string_view>

#include "api/embed_reply.h"
#include "api/embed_request.h"
#include "base/task.h"
#include "embed/call.h"

namespace embedrouter::embed {

// Turns texts into vectors: an upstream, the embedded model, a wrapper around one, the router itself. One
// owner; used from one thread. A reply that leaves an Attempt has passed the gate.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual std::string_view name() const = 0;
  // `request` and `call` must stay alive until the task completes.
  virtual Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, Call& call) = 0;
};

}  // namespace embedrouter::embed
