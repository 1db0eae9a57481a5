#include "gateway/gateway.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "api/error_body.h"
#include "gateway/cors.h"
#include "gateway/meters.h"
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
  static Task<net::Response> get_readyz(Gateway& gateway, net::Exchange&, Gateway::Trace& trace) {
    co_return gateway.get_readyz(trace);
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
    Operation{"get_readyz", "GET", "/readyz", true, kOpen, Operation::get_readyz},
    Operation{"get_metrics", "GET", "/metrics", true, kOpen, Operation::get_metrics},
};

// "/api/v1/embeddings" and "/v1/embeddings" → "/embeddings". Empty if `path` is under neither.
std::string_view below_prefix(std::string_view path) {
  for (const std::string_view prefix : {"/api/v1", "/v1"}) {
    if (path.starts_with(prefix)) return path.substr(prefix.size());
  }
  return {};
}

// Counts a request while it is there.
class UnderWay {
 public:
  explicit UnderWay(Gauge& gauge) : gauge_(gauge) { gauge_.Increment(); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { gauge_.Decrement(); }

 private:
  Gauge& gauge_;
};

bool method_fits(std::string_view asked, std::string_view offered) {
  return asked == offered || (asked == "HEAD" && offered == "GET");
}

}  // namespace

Gateway::Gateway(const Shared& shared, embed::Embedder& embedder, Random& random)
    : shared_(shared),
      embedder_(embedder),
      random_(random),
      meters_(std::make_unique<Meters>(*shared.metrics)) {}
Gateway::~Gateway() = default;

Task<net::Response> Gateway::handle(net::Exchange& exchange) {
  Trace trace;
  trace.start = shared_.clock->now();
  trace.wall_start = shared_.clock->wall();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(trace.wall_start.time_since_epoch());
  trace.id = "gen-emb-" + std::to_string(seconds.count()) + "-" + random_.alphanumeric(20);
  join_trace(exchange.head().headers, trace);
  const UnderWay under_way(meters_->under_way);
  net::Response response;
  bool left = false;
  // The client that leaves cuts this coroutine off at an await, or gets an answer nobody waits for.
  try {
    response = co_await dispatch(exchange, trace);
    const auto state = co_await asio::this_coro::cancellation_state;
    left = state.cancelled() != asio::cancellation_type::none;
  } catch (const boost::system::system_error&) {
    left = true;
  }
  if (left) {
    meters_->cancelled.Increment();
    response = render(Error(ErrorCode::client_closed, "the client left before its answer"), trace);
  }
  allow_origin(shared_.cors_origins, exchange.head(), response);
  account(exchange, response, trace);
  co_return response;
}

Task<net::Response> Gateway::dispatch(net::Exchange& exchange, Trace& trace) {
  const net::RequestHead& head = exchange.head();
  if (auto local = check_door(head); !local) co_return render(local.error(), trace);
  const std::string_view relative = below_prefix(head.path);
  const Operation* found = nullptr;
  std::string allowed = head.path == "*" ? "GET, HEAD, POST" : "";
  for (const Operation& operation : kOperations) {
    if (operation.path != (operation.rooted ? head.path : relative)) continue;
    if (method_fits(head.method, operation.method)) found = &operation;
    allowed += (allowed.empty() ? "" : ", ") +
               std::string(operation.method == "GET" ? "GET, HEAD" : operation.method);
  }
  if (allowed.empty())
    co_return render(Error(ErrorCode::not_found, "Resource not found: no such path here"), trace);
  if (head.method == "OPTIONS") co_return answer_options(shared_.cors_origins, head, allowed);
  if (found == nullptr) {
    net::Response response = render(
        Error(ErrorCode::method_not_allowed, "this path takes " + allowed + ", not this method"), trace);
    response.headers.push_back({"Allow", allowed + ", OPTIONS"});
    co_return response;
  }
  trace.operation = found->name;
  trace.route = found->path;
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
  meters_->errors(error.code()).Increment();
  shared_.log->info("refused", {{"status", response.status},
                                {"code", traits(error.code()).name},
                                {"reason", error.message()},
                                {"detail", error.detail()}});
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

net::Response Gateway::get_readyz(Trace& trace) const {
  if (const auto fault = shared_.readiness->fault()) return render(*fault, trace);
  net::Response response;
  response.body = Body(R"({"status":"ready"})");
  return response;
}

}  // namespace embedrouter::gateway
