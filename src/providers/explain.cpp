#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "api/error_body.h"
#include "providers/dialect.h"

namespace embedrouter::providers {
namespace {

using std::chrono::milliseconds;

bool contains(std::string_view text, std::string_view word) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return !std::ranges::search(text, word, {}, lower, lower).empty();
}

bool any(const api::UpstreamComplaint& said, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) {
    return contains(said.code, word) || contains(said.type, word) || contains(said.message, word);
  });
}

constexpr std::array<std::string_view, 6> kQuota{"insufficient_quota",   "credit_balance",
                                                 "billing_hard_limit",   "insufficient credits",
                                                 "insufficient balance", "payment_required"};
constexpr std::array<std::string_view, 7> kTooLong{
    "context_length",  "context length",       "maximum context",       "too long",
    "too many tokens", "too large to process", "max_tokens_per_request"};

constexpr milliseconds kLongestWait{60'000};

// Whole or fractional seconds, not negative. Dates and everything else: no hint.
std::optional<milliseconds> seconds_of(std::string_view text, double unit_in_ms) {
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0)) return std::nullopt;
  return milliseconds(
      static_cast<std::int64_t>(std::min(value * unit_in_ms, static_cast<double>(kLongestWait.count()))));
}

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

}  // namespace

Error explain_status(const UpstreamReply& reply) {
  const api::UpstreamComplaint said = api::read_complaint(reply.body->view());
  const ErrorCode code = code_for(reply.status, said);
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
  auto wait = seconds_of(reply.retry_after_ms, 1);
  if (!wait) wait = seconds_of(reply.retry_after, 1000);
  if (wait) error = std::move(error).with_retry_after(*wait);
  return error;
}

}  // namespace embedrouter::providers
