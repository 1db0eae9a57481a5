#include "embed/attempt.h"

#include <utility>

#include "embed/vector_values.h"

namespace embedrouter::embed {
namespace {

constexpr auto kAttemptsHelp = "Calls to an endpoint by outcome";

}  // namespace

Attempt::Attempt(std::unique_ptr<Embedder> inner, AttemptOptions options, EndpointStatistics& statistics,
                 const Clock& clock, Metrics& metrics)
    : inner_(std::move(inner)),
      options_(std::move(options)),
      statistics_(statistics),
      clock_(clock),
      gate_(options_.contract),
      answered_(metrics.counter("embedrouter_attempts_total", kAttemptsHelp,
                                {{"endpoint", options_.endpoint}, {"outcome", "ok"}})),
      failed_(metrics.counter("embedrouter_attempts_total", kAttemptsHelp,
                              {{"endpoint", options_.endpoint}, {"outcome", "error"}})),
      other_model_(metrics.counter("embedrouter_model_mismatches_total",
                                   "Answers that named another model than the one asked for",
                                   {{"endpoint", options_.endpoint}})),
      seconds_(metrics.histogram("embedrouter_attempt_duration_seconds",
                                 "Time of a call to an endpoint, gate included", Metrics::latency_bounds(),
                                 {{"endpoint", options_.endpoint}})) {}

Task<Result<api::EmbedReply>> Attempt::embed(const api::EmbedRequest& request, Call& call) {
  const auto start = clock_.now();
  call.begin_attempt();
  const std::uint64_t span = call.attempt_span;  // others begin while this one is under way
  auto outcome = co_await ask(request, span, call);
  record(outcome, start, span, call);
  if (!outcome && outcome.error().provider().empty()) {
    const std::string code = outcome.error().provider_code();
    co_return fail(std::move(outcome.error()).with_provider(options_.provider, code));
  }
  co_return outcome;
}

Task<Result<api::EmbedReply>> Attempt::ask(const api::EmbedRequest& request, std::uint64_t span, Call& call) {
  auto reply = co_await inner_->embed(request, call);
  if (!reply) co_return reply;
  const auto arrived = clock_.now();
  auto passed = gate_.inspect(request, *reply, call.canary);
  call.times.gate += clock_.now() - arrived;
  if (!passed) co_return fail(std::move(passed).error());
  if (passed->has_value()) {
    const Gate::Twins twins = **passed;
    auto resolved = co_await resolve_twins(request, twins, span, call);
    if (!resolved) co_return fail(std::move(resolved).error());
  }
  reply->provider = options_.provider;
  co_return reply;
}

Task<Result<void>> Attempt::resolve_twins(const api::EmbedRequest& request, Gate::Twins twins,
                                          std::uint64_t span, Call& call) {
  std::vector<float> alone[2];
  const std::uint32_t items[2] = {twins.first, twins.second};
  for (int i = 0; i < 2; ++i) {
    api::EmbedRequest single = request;
    single.items = request.items.subspan(items[i], 1);
    call.attempt_span = span;
    auto reply = co_await inner_->embed(single, call);
    if (!reply) co_return fail(std::move(reply).error());
    auto passed = gate_.inspect(single, *reply);
    if (!passed) co_return fail(std::move(passed).error());
    alone[i].resize(reply->width);
    auto read = read_values(reply->data.front().vector, alone[i]);
    if (!read) co_return fail(std::move(read).error());
  }
  if (alone[0] == alone[1]) co_return Result<void>();
  Error mixed(ErrorCode::upstream_invalid_vector,
              "the provider gave input[" + std::to_string(twins.first) + "] and input[" +
                  std::to_string(twins.second) + "] one vector in a batch and two when asked for each alone");
  co_return fail(std::move(mixed).with_item(twins.second));
}

void Attempt::record(const Result<api::EmbedReply>& outcome, Clock::Steady start, std::uint64_t span,
                     Call& call) {
  const Clock::Steady now = clock_.now();
  const auto took = now - start;
  if (outcome || !outcome.error().unsent()) {
    seconds_.Observe(std::chrono::duration<double>(took).count());
    (outcome ? answered_ : failed_).Increment();
  }
  AttemptRecord entry;
  entry.endpoint = options_.endpoint;
  entry.provider = options_.provider;
  entry.took = std::chrono::duration_cast<std::chrono::milliseconds>(took);
  entry.started = start;
  entry.span = span;
  if (outcome) {
    entry.ok = true;
    entry.status = 200;
    entry.answered_model = outcome->answered_model;
    if (!entry.answered_model.empty()) other_model_.Increment();
    if (!call.canary) statistics_.add_success(now, took, outcome->usage.prompt_tokens);
  } else {
    const Error& error = outcome.error();
    entry.code = error.code();
    entry.status = error.upstream_status() != 0 ? error.upstream_status() : error.http_status();
    if (!call.canary) statistics_.add_error(now, error);
  }
  call.attempts.push_back(std::move(entry));
}

}  // namespace embedrouter::embed
