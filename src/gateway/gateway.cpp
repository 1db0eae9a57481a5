#include "gateway/gateway.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <utility>

#include "api/error_body.h"
#include "gateway/trace.h"

namespace embedrouter::gateway {

using Access = bool;
constexpr Access kKey = true;
constexpr Access kOpen = false;

// A row of the table of paths. `path` is under /api/v1 and /v1, or absolute where `rooted`.
struct Operation {
  std::string_view name, method, path;
  bool rooted;
  Access needs_key;
  Task<net::Response> (*run)(Gateway& gateway, net::Exchange& exchange, Gateway::Trace& trace);

  static Task<net::Response> post_embeddings(Gateway& gateway, net::Exchange& exchange,
                                             Gateway::Trace& trace) {
    return gateway.post_embeddings(exchange, trace);
  }
  static Task<net::Response> get_embeddings_models(Gateway& gateway, net::Exchange& exchange,
                                                   Gateway::Trace& trace) {
    co_return gateway.get_embeddings_models(exchange.head(), trace);
  }
  static Task<net::Response> get_metrics(Gateway& gateway, net::Exchange&, Gateway::Trace&) {
    co_return gateway.get_metrics();
  }
  static Task<net::Response> get_healthz(Gateway&, net::Exchange&, Gateway::Trace&) {
    net::Response response;
    response.body = Body(R"({"status":"ok"})");
    co_return response;
  }
};

namespace {

// The features of the API in one screen.
constexpr std::array kOperations{
    Operation{"post_embeddings", "POST", "/embeddings", false, kKey, Operation::post_embeddings},
    Operation{"get_embeddings_models", "GET", "/embeddings/models", false, kOpen,
              Operation::get_embeddings_models},
    Operation{"get_healthz", "GET", "/healthz", true, kOpen, Operation::get_healthz},
    Operation{"get_metrics", "GET", "/metrics", true, kOpen, Operation::get_metrics},
};

// "/api/v1/embeddings" and "/v1/embeddings" → "/embeddings". Empty if `path` is under neither.
std::string_view below_prefix(std::string_view path) {
  for (const std::string_view prefix : {"/api/v1", "/v1"}) {
    if (path.starts_with(prefix)) return path.substr(prefix.size());
  }
  return {};
}

bool method_fits(std::string_view asked, std::string_view offered) {
  return asked == offered || (asked == "HEAD" && offered == "GET");
}

}  // namespace

struct Gateway::Meters {
  explicit Meters(Metrics& metrics)
      : tokens(metrics.counter("embedrouter_prompt_tokens_total", "Tokens of answered requests")),
        items(metrics.counter("embedrouter_inputs_total", "Inputs of answered requests")),
        cancelled(metrics.counter("embedrouter_requests_cancelled_total",
                                  "Requests whose client left before the answer")),
        seconds(metrics.histogram("embedrouter_request_duration_seconds",
                                  "Time from the headers to the answer", Metrics::latency_bounds())),
        metrics_(metrics) {}

  Counter& requests(const std::string& operation, int status) {
    Counter*& counter = by_outcome_[{operation, status}];
    if (counter == nullptr) {
      counter = &metrics_.counter("embedrouter_requests_total", "Requests answered, by operation and status",
                                  {{"operation", operation}, {"status", std::to_string(status)}});
    }
    return *counter;
  }
  Counter& errors(ErrorCode code) {
    Counter*& counter = by_error_[static_cast<std::size_t>(code)];
    if (counter == nullptr) {
      counter = &metrics_.counter("embedrouter_errors_total", "Error answers by code",
                                  {{"code", std::string(traits(code).name)}});
    }
    return *counter;
  }

  Counter& tokens;
  Counter& items;
  Counter& cancelled;
  Histogram& seconds;

 private:
  Metrics& metrics_;
  std::map<std::pair<std::string, int>, Counter*> by_outcome_;
  std::array<Counter*, kErrorCodeCount> by_error_{};
};

Gateway::Gateway(const Shared& shared, embed::Embedder& embedder, Random& random)
    : shared_(shared),
      embedder_(embedder),
      random_(random),
      meters_(std::make_unique<Meters>(*shared.metrics)) {}
Gateway::~Gateway() = default;

namespace {

// Counts the client that left: its coroutine is cut off at an await, or comes back with an answer nobody
// waits for.
struct Departure {
  Counter& cancelled;
  bool answered = false;
  ~Departure() {
    if (!answered) cancelled.Increment();
  }
};

}  // namespace

Task<net::Response> Gateway::handle(net::Exchange& exchange) {
  Trace trace;
  trace.start = shared_.clock->now();
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(shared_.clock->wall().time_since_epoch());
  trace.id = "gen-emb-" + std::to_string(seconds.count()) + "-" + random_.alphanumeric(20);
  Departure departure{meters_->cancelled};
  net::Response response = co_await dispatch(exchange, trace);
  const auto state = co_await asio::this_coro::cancellation_state;
  departure.answered = state.cancelled() == asio::cancellation_type::none;
  account(exchange.head(), response, trace);
  co_return response;
}

Task<net::Response> Gateway::dispatch(net::Exchange& exchange, Trace& trace) {
  const net::RequestHead& head = exchange.head();
  const std::string_view relative = below_prefix(head.path);
  const Operation* found = nullptr;
  std::string allowed;
  for (const Operation& operation : kOperations) {
    if (operation.path != (operation.rooted ? head.path : relative)) continue;
    if (method_fits(head.method, operation.method)) found = &operation;
    allowed += (allowed.empty() ? "" : ", ") +
               std::string(operation.method == "GET" ? "GET, HEAD" : operation.method);
  }
  if (found == nullptr) {
    if (allowed.empty())
      co_return render(Error(ErrorCode::not_found, "Resource not found: no such path here"), trace);
    net::Response response = render(
        Error(ErrorCode::method_not_allowed, "this path takes " + allowed + ", not this method"), trace);
    response.headers.push_back({"Allow", allowed});
    co_return response;
  }
  trace.operation = found->name;
  if (auto admitted = admit(head, found->needs_key, trace); !admitted)
    co_return render(admitted.error(), trace);
  net::Response response = co_await found->run(*this, exchange, trace);
  co_return response;
}

net::Response Gateway::refuse(const Error& error) {
  Trace trace;
  trace.start = shared_.clock->now();
  net::Response response = render(error, trace);
  meters_->requests("none", response.status).Increment();
  return response;
}

net::Response Gateway::render(const Error& error, Trace& trace) const {
  trace.error = error.code();
  trace.detail = error.detail();
  net::Response response;
  response.status = error.http_status();
  response.body = Body(api::encode_error(error, trace.id));
  if (error.code() == ErrorCode::unauthorized) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  if (error.code() == ErrorCode::unsupported_coding)
    response.headers.push_back({"Accept-Encoding", std::string(net::kContentCodings)});
  auto wait = error.retry_after();
  if (!wait && (error.code() == ErrorCode::overloaded || error.code() == ErrorCode::shutting_down))
    wait = std::chrono::seconds(1);
  if (wait) {
    const auto seconds = std::max<std::int64_t>(1, (wait->count() + 999) / 1000);
    response.headers.push_back({"Retry-After", std::to_string(seconds)});
  }
  if (!trace.id.empty()) response.headers.push_back({"X-Generation-Id", trace.id});
  return response;
}

net::Response Gateway::get_metrics() const {
  net::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = Body(shared_.metrics->render());
  return response;
}

void Gateway::account(const net::RequestHead& head, const net::Response& response, const Trace& trace) {
  const double seconds = std::chrono::duration<double>(shared_.clock->now() - trace.start).count();
  meters_->requests(trace.operation, response.status).Increment();
  if (trace.operation == "post_embeddings") meters_->seconds.Observe(seconds);
  if (trace.error) meters_->errors(*trace.error).Increment();
  if (trace.tokens != 0) meters_->tokens.Increment(static_cast<double>(trace.tokens));
  if (!trace.error) meters_->items.Increment(static_cast<double>(trace.items));
  if (!shared_.log->enabled(LogLevel::info)) return;
  shared_.log->info("request", {{"id", trace.id},
                                {"operation", trace.operation},
                                {"method", head.method},
                                {"status", response.status},
                                {"code", trace.error ? traits(*trace.error).name : std::string_view()},
                                {"detail", trace.detail},
                                {"model", trace.model},
                                {"provider", trace.provider},
                                {"key", trace.key_label},
                                {"inputs", trace.items},
                                {"tokens", trace.tokens},
                                {"attempts", trace.attempts},
                                {"ms", seconds * 1e3}});
}

}  // namespace embedrouter::gateway
