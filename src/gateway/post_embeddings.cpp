#include <array>
#include <utility>

#include "api/embed_reply.h"
#include "gateway/arrived.h"
#include "gateway/gateway.h"
#include "gateway/route_report.h"
#include "gateway/trace.h"

namespace embedrouter::gateway {
namespace {

constexpr std::chrono::seconds kProcessingInterval{2};

// Clients measured to wait on while `102 Processing` arrives (DESIGN 3.5).
bool accepts_processing(std::string_view user_agent) {
  return user_agent.starts_with("speakeasy-sdk/python") || user_agent.starts_with("speakeasy-sdk/typescript");
}

}  // namespace

Task<Result<net::Response>> Gateway::post_embeddings(net::Exchange& exchange, Trace& trace) {
  const net::RequestHead& head = exchange.head();
  auto arrived = co_await read_request(exchange, trace);
  if (!arrived) co_return fail(std::move(arrived).error());
  const api::DecodedRequest& decoded = arrived->decoded;
  const api::EmbedRequest& request = decoded.request();
  if (accepts_processing(head.headers.find("user-agent").value_or("")))
    exchange.keep_informed(kProcessingInterval);

  embed::Call call(trace.id, trace.start + shared_.limits.total_timeout);
  call.pinned_space = head.headers.find("x-embedrouter-space").value_or("");
  call.trace = trace.context;
  call.trace_state = trace.state;
  auto reply = co_await embedder_.embed(request, call);
  const auto embedded = shared_.clock->now();
  std::string metadata;
  if (wants_metadata(head.headers)) metadata = router_metadata(call, request.model, embedded - trace.start);
  if (!reply) {
    trace.story = {availability(reply.error(), call, request.model), previous_errors(call),
                   std::move(metadata)};
  }
  trace.attempts = std::move(call.attempts);
  trace.times = call.times;
  if (!reply) co_return fail(std::move(reply).error());
  shared_.usage->add(trace.key != nullptr ? std::string_view(trace.key->hash) : "",
                     reply->usage.cost_pico_usd, shared_.clock->wall());
  trace.model = reply->model;
  trace.provider = reply->provider;
  trace.tokens = reply->usage.prompt_tokens;

  api::ResponseInfo info;
  info.id = trace.id;
  info.metadata_json = metadata;
  net::Response response;
  response.body = api::encode_embed_response(*reply, request.encoding, info);
  trace.encode = shared_.clock->now() - embedded;
  response.headers.push_back({"X-Generation-Id", trace.id});
  for (auto& [name, value] : api::reply_headers(*reply, decoded.ignored()))
    response.headers.push_back({std::string(name), std::move(value)});
  co_return response;
}

}  // namespace embedrouter::gateway
