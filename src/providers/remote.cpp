#include "providers/remote.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "providers/retry_after.h"

namespace embedrouter::providers {
namespace {

constexpr std::string_view kBearer = "Bearer ";

}  // namespace

Remote::Remote(const catalog::Endpoint& endpoint, const Dialect& dialect, net::Client& client,
               RemoteOptions options, const Clock& clock)
    : endpoint_(endpoint), dialect_(dialect), client_(client), options_(std::move(options)), clock_(clock) {}

Task<Result<api::EmbedReply>> Remote::embed(const api::EmbedRequest& request, embed::Call& call) {
  auto encoded = dialect_.encode(request, endpoint_);
  if (!encoded) co_return fail(std::move(encoded).error());
  KeyPool& keys = *options_.keys;
  const std::uint64_t span = call.attempt_span;
  std::vector<std::size_t> tried;
  std::optional<Error> refused;
  while (tried.size() < keys.size()) {
    const auto lease = keys.take(endpoint_.id, tried);
    if (!lease && !refused) co_return fail(lease.error());
    if (!lease) break;
    auto reply = co_await ask(request, *encoded, lease->authorization, span, call);
    keys.report(endpoint_.id, *lease, reply ? nullptr : &reply.error());
    if (reply) co_return reply;
    const Parking parking = traits(reply.error().code()).parking;
    refused = told(std::move(reply).error(), lease->authorization);
    if (parking == Parking::none) break;
    tried.push_back(lease->key);
  }
  if (traits(refused->code()).parking != Parking::none) {
    // What the router itself keeps to, whichever key that is.
    if (const auto wait = keys.wait(endpoint_.id))
      refused = std::move(*refused).with_retry_after(std::min(*wait, kLongestWait));
  }
  co_return fail(*std::move(refused));
}

// The failure for the caller: never with the key in it, which some providers quote.
Error Remote::told(Error error, std::string_view authorization) const {
  if (options_.policy_fallback && error.code() == ErrorCode::content_policy_violation)
    error = std::move(error).with_code(ErrorCode::upstream_policy);
  const std::string_view key = authorization.substr(std::min(authorization.size(), kBearer.size()));
  constexpr std::size_t kShortest = 8;  // what is shorter stands in many texts
  const auto quotes = [&](const std::string& text) {
    return key.size() >= kShortest && text.find(key) != std::string::npos;
  };
  if (!quotes(error.message()) && !quotes(error.provider_code()) && !quotes(error.detail())) return error;
  return Error(error.code(), "the provider answered " + std::to_string(error.upstream_status()))
      .with_upstream_status(error.upstream_status());
}

Task<Result<api::EmbedReply>> Remote::ask(const api::EmbedRequest& request, const UpstreamRequest& encoded,
                                          std::string_view authorization, std::uint64_t span,
                                          embed::Call& call) {
  net::ClientRequest message;
  message.target = options_.base_path + encoded.path;
  message.headers.push_back({"Content-Type", "application/json"});
  message.headers.push_back({"Accept", "application/json"});
  if (!authorization.empty()) message.headers.push_back({"Authorization", std::string(authorization)});
  if (call.trace) {
    message.headers.push_back({"traceparent", traceparent(*call.trace, span)});
    if (!call.trace_state.empty()) message.headers.push_back({"tracestate", call.trace_state});
  }
  message.body = encoded.body;
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
