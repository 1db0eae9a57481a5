#include <embedrouter/client.h>

#include "sdk/embeddings_decoder.h"
#include "sdk/request_body.h"
#include "sdk/resource_call.h"

namespace embedrouter::sdk::inline v0 {

Call<EmbeddingsResponse> Embeddings::generate(const EmbeddingsRequest& request, CallOptions options) const {
  auto call = call_of(operations::kGenerate, "/embeddings", {}, std::move(options), encode_request(request));
  if (call) call->accept = "application/json;q=1, text/event-stream;q=0";
  return ready<EmbeddingsResponse>(connection_, std::move(call),
                                   [items = item_count(request.input)](HttpResponse response) {
                                     return EmbeddingsDecoder::decode(std::move(response), items);
                                   });
}

}  // namespace embedrouter::sdk::inline v0
