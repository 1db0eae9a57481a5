// Where a request for embeddings would go and why. Nothing is sent, and nothing that routes is changed.

#include <utility>

#include "api/explanation.h"
#include "gateway/arrived.h"
#include "gateway/gateway.h"
#include "gateway/trace.h"

namespace embedrouter::gateway {

Task<Result<net::Response>> Gateway::post_explain(net::Exchange& exchange, Trace& trace) {
  auto arrived = co_await read_request(exchange, trace);
  if (!arrived) co_return fail(std::move(arrived).error());
  const std::string_view pinned = exchange.head().headers.find("x-embedrouter-space").value_or("");
  auto explanation = selector_.explain(arrived->decoded.request(), pinned);
  if (!explanation) co_return fail(std::move(explanation).error());
  co_return json_response(api::encode_explanation(*explanation));
}

}  // namespace embedrouter::gateway
