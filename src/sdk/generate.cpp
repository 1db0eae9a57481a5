#include <embedrouter/client.h>

#include "sdk/embeddings_decoder.h"
#include "sdk/request_body.h"
#include "sdk/resource_call.h"

namespace embedrouter::sdk::inline v0 {

Call<EmbeddingsResponse> Embeddings::generate(const EmbeddingsRequest& request, CallOptions options) const {
  auto body = encode_request(request);
  if (!body) return Call<EmbeddingsResponse>(std::move(body).error());
  ApiCall call = call_of(operations::kGenerate, "/embeddings", {}, std::move(options), *std::move(body));
  call.accept = "application/json;q=1, text/event-stream;q=0";
  return {connection_, std::move(call), [items = item_count(request.input)](HttpResponse response) {
            return EmbeddingsDecoder::decode(std::move(response), items);
          }};
}

}  // namespace embedrouter::sdk::inline v0
