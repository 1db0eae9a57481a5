#include <algorithm>
#include <array>

#include "api/error_body.h"
#include "base/ascii.h"
#include "providers/dialect.h"
#include "providers/retry_after.h"

namespace embedrouter::providers {
namespace {

bool any(const api::UpstreamComplaint& said, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) {
    return contains_ignoring_case(said.code, word) || contains_ignoring_case(said.type, word) ||
           contains_ignoring_case(said.message, word);
  });
}

constexpr std::array<std::string_view, 6> kQuota{"insufficient_quota",   "credit_balance",
                                                 "billing_hard_limit",   "insufficient credits",
                                                 "insufficient balance", "payment_required"};
constexpr std::array<std::string_view, 8> kTooLong{
    "context_length",  "context length",       "maximum context",        "too long",
    "too many tokens", "too large to process", "max_tokens_per_request", "must have less than"};

ErrorCode code_for(int status, const api::UpstreamComplaint& said) {
  if (status == 402 || any(said, kQuota)) return ErrorCode::upstream_quota;
  // llama-server reports an input longer than its batch as a 500.
  if ((status == 400 || status == 413 || status == 422 || status == 500) && any(said, kTooLong)) {
    return ErrorCode::context_length_exceeded;
  }
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::upstream_unauthorized;
    case 400:
    case 413:
    case 422:
      return ErrorCode::upstream_rejected;
    case 404:
      return ErrorCode::model_unavailable;
    case 408:
    case 504:
    case 524:
      return ErrorCode::upstream_timeout;
    case 429:
      return ErrorCode::upstream_rate_limited;
    case 529:
      return ErrorCode::upstream_overloaded;
    default:
      return status >= 500 ? ErrorCode::upstream_error : ErrorCode::upstream_invalid_answer;
  }
}

Error explained(ErrorCode code, const UpstreamReply& reply, const api::UpstreamComplaint& said) {
  std::string message = "the provider answered " + std::to_string(reply.status);
  if (code == ErrorCode::context_length_exceeded)
    message = "the provider says the input is too long for the model";
  // What a provider says of the caller's own request helps to mend it; what it says of itself is not
  // shown, nor logged: either may quote the input.
  if ((code == ErrorCode::upstream_rejected || code == ErrorCode::context_length_exceeded) &&
      !said.message.empty()) {
    message += ": " + said.message;
  }
  if (code == ErrorCode::model_unavailable)
    message = "the provider does not have the model (it answered 404)";
  if (code == ErrorCode::upstream_unauthorized)
    message = "the provider refused the router's key; its operator must mend that";
  if (code == ErrorCode::upstream_quota) message = "the router's balance with the provider is exhausted";
  Error error = Error(code, std::move(message))
                    .with_detail(api::loggable(said))
                    .with_provider({}, said.code.empty() ? said.type : said.code)
                    .with_upstream_status(reply.status);
  RetryHints hints{.retry_after_ms = reply.header("retry-after-ms"),
                   .retry_after = reply.header("retry-after"),
                   .message = said.message};
  // The resets stand in every answer of some providers; only a refusal for the rate means them.
  if (code == ErrorCode::upstream_rate_limited) {
    hints.reset_requests = reply.header("x-ratelimit-reset-requests");
    hints.reset_tokens = reply.header("x-ratelimit-reset-tokens");
  }
  if (const auto wait = wait_of(hints, reply.arrived)) error = std::move(error).with_retry_after(*wait);
  return error;
}

}  // namespace

Error explain_status(const UpstreamReply& reply) {
  const api::UpstreamComplaint said = api::read_complaint(reply.body->view());
  return explained(code_for(reply.status, said), reply, said);
}

Error explain_as(ErrorCode code, const UpstreamReply& reply) {
  return explained(code, reply, api::read_complaint(reply.body->view()));
}

}  // namespace embedrouter::providers
