// Rows of the table: statuses, limits and money.
#include <fmt/chrono.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "fake_upstream/bends.h"

namespace embedrouter::fake_upstream {
namespace {

using enum Expect;
using C = Circumstances;

constexpr std::string_view kContext =
    "This model's maximum context length is 8192 tokens, however you requested 9000 tokens. Please reduce "
    "your prompt.";

void refuse_for_now(Plan& plan, std::string_view header, std::string value) {
  plain_status(plan, 429);
  plan.headers.emplace_back(header, std::move(value));
}

std::string http_date(fmt::string_view format, int seconds_from_now) {
  return fmt::format(fmt::runtime(format), fmt::gmtime(std::time(nullptr) + seconds_from_now));
}

void refuse_for_quota(Plan& plan) {
  answer_error(plan, 429, R"("insufficient_quota")",
               "You exceeded your current quota, please check your plan and billing details.");
}

void refuse_for_length(Plan& plan) {
  answer_error(plan, 400, R"("context_length_exceeded")", kContext);
}

void refuse_for_policy(Plan& plan) {
  answer_error(plan, 400, R"("content_policy_violation")", "The input was refused by the content filter.");
}

void answer_after(long milliseconds, Plan& plan) {
  plan.delay = std::chrono::milliseconds(milliseconds);
}

// At once.
void refuse_if(bool refuse, Plan& plan) {
  if (!refuse) return;
  answer_after(0, plan);
  answer_error(plan, 429, R"("rate_limit_exceeded")", "Rate limit reached");
}

std::size_t longest(const C& c) {
  return std::ranges::max(c.request.texts, {}, &std::string::size).size();
}

std::size_t bytes(const C& c) {
  std::size_t sum = 0;
  for (const std::string& text : c.request.texts) sum += text.size();
  return sum;
}

// A text longer than the model takes: refused in the format's own words, or cut where that was allowed.
void bound_context(Plan& plan, const C& c) {
  const auto most = static_cast<std::size_t>(c.numbers[0]);
  if (longest(c) <= most) return;
  if (!c.request.may_cut) {
    if (plan.dialect->name == "tei")
      return answer_error(
          plan, 413, "null",
          fmt::format("Input validation error: `inputs` must have less than {} tokens. Given: {}", most,
                      longest(c)));
    if (plan.dialect->name == "ollama")
      return answer_error(plan, 400, "null", "the input length exceeds the context length");
    return refuse_for_length(plan);
  }
  for (Entry& entry : plan.data)
    entry.values = vector_of(std::string_view(entry.text).substr(0, most), c.space, entry.values.size());
}

// One less for every twenty requests, and at least one.
std::uint64_t shrunk(std::uint64_t limit, std::uint64_t requests) {
  return limit - std::min(limit - 1, requests / 20);
}

// clang-format off
constexpr auto kFaults = std::to_array<Fault>({
  {"delay-<N>ms",         "-",   right, "the right answer after N milliseconds", [](Plan& p, const C& c) { p.delay = std::chrono::milliseconds(c.numbers[0]); }},
  {"delay-<N>s",          "-",   right, "the right answer after N seconds", [](Plan& p, const C& c) { p.delay = std::chrono::seconds(c.numbers[0]); }},

  {"status-<N>",          "C6",  error, "status N with an error object", [](Plan& p, const C& c) { plain_status(p, c.numbers[0]); }},
  {"status-<N>-once",     "C6",  either, "status N the first time these texts are sent, then right", [](Plan& p, const C& c) { if (!c.history.repeated) plain_status(p, c.numbers[0]); }},
  {"status-<N>-html",     "C6",  error, "status N with an HTML page", [](Plan& p, const C& c) { p.status = static_cast<int>(c.numbers[0]); unusual_body(p, "text/html", std::string(kHtml)); }},
  {"status-<N>-retry-<N>", "C1", error, "status N with Retry-After in seconds", [](Plan& p, const C& c) { plain_status(p, c.numbers[0]); p.headers.emplace_back("Retry-After", fmt::format("{}", c.numbers[1])); }},
  {"status-429-retry-imf", "C1", error, "429, Retry-After two seconds ahead as an IMF-fixdate", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%a, %d %b %Y %H:%M:%S GMT}", 2)); }},
  {"status-429-retry-rfc850", "C1", error, "the same in RFC 850's form", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%A, %d-%b-%y %H:%M:%S GMT}", 2)); }},
  {"status-429-retry-asctime", "C1", error, "the same in asctime's form", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%a %b %e %H:%M:%S %Y}", 2)); }},
  {"status-429-retry-past", "C1", error, "429, Retry-After a date an hour ago", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%a, %d %b %Y %H:%M:%S GMT}", -3600)); }},
  {"status-429-retry-negative", "C1", error, "429, Retry-After: -3", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", "-3"); }},
  {"status-429-retry-fraction", "C1", error, "429, Retry-After: 1.5", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", "1.5"); }},
  {"status-429-retry-junk", "C1", error, "429, Retry-After: soon", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", "soon"); }},
  {"status-429-retry-ms-<N>", "C1", error, "429, retry-after-ms: N", [](Plan& p, const C& c) { refuse_for_now(p, "retry-after-ms", fmt::format("{}", c.numbers[0])); }},
  {"status-429-reset-duration", "C1", error, "429, x-ratelimit-reset-requests: 6m0s, x-ratelimit-reset-tokens: 1s", [](Plan& p, const C&) { refuse_for_now(p, "x-ratelimit-reset-requests", "6m0s"); p.headers.emplace_back("x-ratelimit-reset-tokens", "1s"); }},
  {"status-429-reset-epoch", "C1", error, "429, X-RateLimit-Reset two seconds ahead as unix seconds", [](Plan& p, const C&) { refuse_for_now(p, "X-RateLimit-Reset", fmt::format("{}", std::time(nullptr) + 2)); }},
  {"status-429-text",     "C1",  error, "429, the wait only in the text: retry after 55 seconds", [](Plan& p, const C&) { answer_error(p, 429, R"("rate_limit_exceeded")", "Requests have exceeded the call rate limit. Please retry after 55 seconds."); }},
  {"status-429-quota",    "C4",  error, "429 insufficient_quota", [](Plan& p, const C&) { refuse_for_quota(p); }},
  {"status-400-usage-limit", "C4", error, "400 for a spent balance, with the date it is back", [](Plan& p, const C&) { answer_error(p, 400, R"("insufficient_quota")", "You have reached your specified API usage limits. You will regain access on 2099-01-01 at 00:00 UTC."); }},
  {"status-400-context",  "C7",  error, "400 context_length_exceeded", [](Plan& p, const C&) { refuse_for_length(p); }},
  {"status-422-items",    "C7",  error, "422 array_above_max_length", [](Plan& p, const C&) { answer_error(p, 422, R"("array_above_max_length")", "too many inputs"); }},
  {"status-500-too-large", "C7", error, "500 for an input beyond one batch", [](Plan& p, const C&) { answer_error(p, 500, R"("server_error")", "input is too large to process. increase the physical batch size"); }},
  {"status-400-policy",   "C9",  error, "400 content_policy_violation", [](Plan& p, const C&) { refuse_for_policy(p); }},

  {"per-second-<N>",      "C5",  either, "429 for more than N requests in a second", [](Plan& p, const C& c) { refuse_if(c.history.last_second >= static_cast<std::uint64_t>(c.numbers[0]), p); }},
  {"tokens-per-second-<N>", "C5", either, "429 for more than N tokens in a second, at bytes / 4 + 1 a text", [](Plan& p, const C& c) { refuse_if(c.history.tokens_last_second + plausible_tokens(c.request.texts) > static_cast<std::uint64_t>(c.numbers[0]), p); }},
  {"tokens-per-second-<N>-for-<N>ms", "C5", either, "the same, each right answer after so many milliseconds", [](Plan& p, const C& c) { answer_after(c.numbers[1], p); refuse_if(c.history.tokens_last_second + plausible_tokens(c.request.texts) > static_cast<std::uint64_t>(c.numbers[0]), p); }},
  {"in-flight-<N>",       "C5",  either, "429 for more than N requests at a time", [](Plan& p, const C& c) { refuse_if(c.history.open >= static_cast<std::uint64_t>(c.numbers[0]), p); }},
  {"in-flight-<N>-for-<N>ms", "C5", either, "the same, each right answer after so many milliseconds", [](Plan& p, const C& c) { answer_after(c.numbers[1], p); refuse_if(c.history.open >= static_cast<std::uint64_t>(c.numbers[0]), p); }},
  {"in-flight-shrinks-<N>", "C5", either, "as `in-flight-<N>`; the limit falls by one every 20 requests, to one", [](Plan& p, const C& c) { refuse_if(c.history.open >= shrunk(static_cast<std::uint64_t>(std::max(1L, c.numbers[0])), c.history.requests), p); }},
  {"max-items-<N>",       "C7",  either, "400 for more than N texts", [](Plan& p, const C& c) { if (c.request.texts.size() > static_cast<std::size_t>(c.numbers[0])) answer_error(p, 400, R"("array_above_max_length")", "too many inputs"); }},
  {"max-tokens-<N>",      "C7",  either, "400 for more than N tokens in all, at bytes / 4 + 1 a text", [](Plan& p, const C& c) { if (plausible_tokens(c.request.texts) > static_cast<std::uint64_t>(c.numbers[0])) answer_error(p, 400, R"("max_tokens_per_request")", fmt::format("Requested more tokens than the maximum of {} tokens per request", c.numbers[0])); }},
  {"max-bytes-<N>",       "C7",  either, "413 for more than N bytes of text in all", [](Plan& p, const C& c) { if (bytes(c) > static_cast<std::size_t>(c.numbers[0])) answer_error(p, 413, R"("payload_too_large")", "Request Entity Too Large"); }},
  {"context-<N>",         "C7",  either, "a text of more than N bytes is refused in the format's words, or cut where the request or the format's default allows it", bound_context},
  {"poison-<N>",          "C7",  either, "status N for a request with the word poison in one of its texts", [](Plan& p, const C& c) { if (std::ranges::any_of(c.request.texts, poisoned)) plain_status(p, c.numbers[0]); }},
  {"poison-context",      "C7",  either, "400 context_length_exceeded for such a request", [](Plan& p, const C& c) { if (std::ranges::any_of(c.request.texts, poisoned)) refuse_for_length(p); }},
  {"poison-policy",       "C9",  either, "400 content_policy_violation for such a request", [](Plan& p, const C& c) { if (std::ranges::any_of(c.request.texts, poisoned)) refuse_for_policy(p); }},
  {"first-key-<N>",       "C8",  either, "status N for the key that came first, right for others", [](Plan& p, const C& c) { if (c.history.first_key) plain_status(p, c.numbers[0]); }},
  {"first-key-quota",     "C8",  either, "429 insufficient_quota for the key that came first", [](Plan& p, const C& c) { if (c.history.first_key) refuse_for_quota(p); }},
  {"flap-<N>",            "C10", either, "N requests right, N answered 503, and so on", [](Plan& p, const C& c) { if (c.history.requests / static_cast<std::uint64_t>(std::max(1L, c.numbers[0])) % 2 == 1) plain_status(p, 503); }},
  {"flap-<N>s",           "C10", either, "N seconds 503, N seconds right, and so on from the first request", [](Plan& p, const C& c) { if (static_cast<std::uint64_t>(c.history.since_first / static_cast<double>(std::max(1L, c.numbers[0]))) % 2 == 0) plain_status(p, 503); }},
});
// clang-format on

}  // namespace

std::span<const Fault> status_faults() {
  return kFaults;
}

}  // namespace embedrouter::fake_upstream
