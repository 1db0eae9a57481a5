#include <algorithm>
#include <array>

#include "api/error_body.h"
#include "base/ascii.h"
#include "providers/dialect.h"
#include "providers/retry_after.h"

namespace embedrouter::providers {
namespace {

using Words = std::span<const std::string_view>;

bool holds(std::string_view text, Words words) {
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return contains_ignoring_case(text, word); });
}
bool names(const api::UpstreamComplaint& said, Words words) {
  return holds(said.code, words) || holds(said.type, words);
}

// A spent balance, as a code or a type, and in words.
constexpr std::array<std::string_view, 7> kQuota{
    "insufficient_quota", "credit_balance",     "billing_hard_limit",  "insufficient_credits",
    "payment_required",   "billing_not_active", "insufficient_balance"};
constexpr std::array<std::string_view, 5> kQuotaWords{"insufficient_quota", "insufficient credits",
                                                      "insufficient balance", "credit balance",
                                                      "billing_hard_limit"};
constexpr std::array<std::string_view, 5> kPolicy{"content_policy", "content_filter", "moderation",
                                                  "responsibleaipolicy", "safety_violation"};
constexpr std::array<std::string_view, 5> kPolicyWords{"content filter", "content policy",
                                                       "content management policy", "requires moderation",
                                                       "input was flagged"};
constexpr std::array<std::string_view, 8> kTooLong{
    "context_length",  "context length",       "maximum context",        "too long",
    "too many tokens", "too large to process", "max_tokens_per_request", "must have less than"};

// Statuses about the request itself. Their messages may quote it, so that words in them prove nothing of
// the key: a caller's text must not park one.
bool about_request(int status) {
  return status == 400 || status == 413 || status == 422;
}
bool quota(int status, const api::UpstreamComplaint& said) {
  if (names(said, kQuota)) return true;
  return (status == 401 || status == 403 || status == 429) && holds(said.message, kQuotaWords);
}
bool policy(int status, const api::UpstreamComplaint& said) {
  if (status != 400 && status != 403 && status != 451) return false;
  return names(said, kPolicy) || holds(said.message, kPolicyWords);
}
bool too_long(int status, const api::UpstreamComplaint& said) {
  // llama-server reports an input longer than its batch as a 500.
  return (about_request(status) || status == 500) && (names(said, kTooLong) || holds(said.message, kTooLong));
}

struct StatusRow {
  int status;
  ErrorCode code;
};
constexpr std::array kByStatus{
    StatusRow{400, ErrorCode::upstream_rejected},  StatusRow{401, ErrorCode::upstream_unauthorized},
    StatusRow{402, ErrorCode::upstream_quota},     StatusRow{403, ErrorCode::upstream_forbidden},
    StatusRow{404, ErrorCode::model_unavailable},  StatusRow{408, ErrorCode::upstream_timeout},
    StatusRow{410, ErrorCode::model_unavailable},  StatusRow{413, ErrorCode::upstream_rejected},
    StatusRow{422, ErrorCode::upstream_rejected},  StatusRow{429, ErrorCode::upstream_rate_limited},
    StatusRow{451, ErrorCode::upstream_forbidden}, StatusRow{498, ErrorCode::upstream_unauthorized},
    StatusRow{504, ErrorCode::upstream_timeout},   StatusRow{524, ErrorCode::upstream_edge_timeout},
    StatusRow{529, ErrorCode::upstream_overloaded}};

ErrorCode code_for(int status, const api::UpstreamComplaint& said) {
  if (quota(status, said)) return ErrorCode::upstream_quota;
  if (policy(status, said)) return ErrorCode::content_policy_violation;
  if (too_long(status, said)) return ErrorCode::context_length_exceeded;
  const auto* const row = std::ranges::find(kByStatus, status, &StatusRow::status);
  if (row != kByStatus.end()) return row->code;
  return status >= 500 ? ErrorCode::upstream_error : ErrorCode::upstream_invalid_answer;
}

// What the caller is told, without what the provider said.
std::string in_our_words(ErrorCode code, int status) {
  switch (code) {
    case ErrorCode::context_length_exceeded:
      return "the provider says the input is too long for the model";
    case ErrorCode::content_policy_violation:
      return "the provider's content policy refuses the input";
    case ErrorCode::model_unavailable:
      return "the provider does not have the model (it answered " + std::to_string(status) + ")";
    case ErrorCode::upstream_unauthorized:
      return "the provider refused the router's key; the operator of the router must mend that, not its "
             "caller";
    case ErrorCode::upstream_forbidden:
      return "the provider does not let the router's key do this; the operator of the router must mend that, "
             "not its caller";
    case ErrorCode::upstream_quota:
      return "the router's balance with the provider is exhausted; the operator of the router must mend "
             "that, "
             "not its caller";
    default:
      return "the provider answered " + std::to_string(status);
  }
}

Error explained(ErrorCode code, const UpstreamReply& reply, const api::UpstreamComplaint& said) {
  std::string message = in_our_words(code, reply.status);
  // What a provider says of the caller's own request helps to mend it; what it says of itself is not
  // shown, nor logged: either may quote the input.
  if ((code == ErrorCode::upstream_rejected || code == ErrorCode::context_length_exceeded) &&
      !said.message.empty()) {
    message += ": " + said.message;
  }
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
    hints.reset_all = reply.header("x-ratelimit-reset");
  }
  const auto longest = code == ErrorCode::upstream_quota ? kLongestDrought : kLongestWait;
  if (const auto wait = wait_of(hints, reply.arrived, longest))
    error = std::move(error).with_retry_after(*wait);
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
