#include "providers/remote.h"

#include <utility>

namespace embedrouter::providers {

Remote::Remote(const catalog::Endpoint& endpoint, const Dialect& dialect, net::Client& client,
               RemoteOptions options, const Clock& clock)
    : endpoint_(endpoint), dialect_(dialect), client_(client), options_(std::move(options)), clock_(clock) {}

Task<Result<api::EmbedReply>> Remote::embed(const api::EmbedRequest& request, embed::Call& call) {
  auto encoded = dialect_.encode(request, endpoint_);
  if (!encoded) co_return fail(std::move(encoded).error());

  net::ClientRequest message;
  message.target = options_.base_path + encoded->path;
  message.headers.push_back({"Content-Type", "application/json"});
  message.headers.push_back({"Accept", "application/json"});
  if (!options_.authorization.empty()) message.headers.push_back({"Authorization", options_.authorization});
  if (call.trace) {
    message.headers.push_back({"traceparent", traceparent(*call.trace, call.attempt_span)});
    if (!call.trace_state.empty()) message.headers.push_back({"tracestate", call.trace_state});
  }
  message.body = std::move(encoded->body);
  message.deadline = call.deadline;
  const auto asked = clock_.now();
  auto answer = co_await client_.send(std::move(message));
  call.times.upstream += clock_.now() - asked;
  if (!answer) co_return fail(std::move(answer).error());

  UpstreamReply reply;
  reply.status = answer->status;
  reply.headers = std::move(answer->headers);
  reply.arrived = clock_.wall();
  reply.body = answer->body;
  if (reply.status != 200) co_return fail(dialect_.explain(reply));
  auto decoded = dialect_.decode(reply, request);
  if (!decoded) co_return fail(std::move(decoded).error());
  if (decoded->answered_model == endpoint_.upstream_model) decoded->answered_model.clear();
  if (endpoint_.strict_model && !decoded->answered_model.empty()) {
    co_return fail(ErrorCode::upstream_invalid_answer, "the provider's answer names another model than " +
                                                           endpoint_.upstream_model +
                                                           ", which strict_model forbids");
  }
  decoded->usage.cost_pico_usd = 0;
  decoded->model = endpoint_.model->id;
  decoded->space = endpoint_.space;
  co_return decoded;
}

}  // namespace embedrouter::providers
