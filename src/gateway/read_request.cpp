// From the connection to a decoded request for embeddings: room for the body, the body, its meaning.

#include <utility>

#include "gateway/arrived.h"
#include "gateway/gateway.h"
#include "gateway/trace.h"

namespace embedrouter::gateway {

Task<Result<Gateway::Arrived>> Gateway::read_request(net::Exchange& exchange, Trace& trace) const {
  const net::RequestHead& head = exchange.head();
  // A chunked or compressed body may turn out as long as any.
  const bool open_ended =
      head.chunked || (head.content_length && head.coding != net::ContentCoding::identity);
  auto permit =
      shared_.in_flight->enter(open_ended ? shared_.limits.body_bytes : head.content_length.value_or(0));
  if (!permit)
    co_return fail(ErrorCode::overloaded,
                   "the router holds as many request bodies as it can; try again in a second");
  const auto began = shared_.clock->now();
  auto body = co_await exchange.read_body(shared_.limits.body_bytes);
  const auto arrived = shared_.clock->now();
  trace.read = arrived - began;
  if (!body) co_return fail(std::move(body).error());
  trace.request_bytes = body->size();

  const api::DecodeLimits limits{.inputs = shared_.limits.inputs};
  auto decoded = api::decode_embed_request(*std::move(body), limits);
  trace.decode = shared_.clock->now() - arrived;
  if (!decoded) co_return fail(std::move(decoded).error());
  trace.items = decoded->request().items.size();
  co_return Arrived(*std::move(permit), *std::move(decoded));
}

}  // namespace embedrouter::gateway
