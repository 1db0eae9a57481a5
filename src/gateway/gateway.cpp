#include "gateway/gateway.h"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "api/error_body.h"
#include "api/openapi.h"
#include "api/query_string.h"
#include "gateway/cors.h"
#include "gateway/meters.h"
#include "gateway/trace.h"

namespace embedrouter::gateway {

// Under /api/v1 and /v1, or absolute.
enum class Where : std::uint8_t { api, root };

// A row of the table of paths: an operation that only reads, or one that takes its time.
struct Operation {
  using Read = Result<net::Response> (Gateway::*)(const Gateway::Query& query) const;
  using Work = Task<Result<net::Response>> (Gateway::*)(net::Exchange& exchange, Gateway::Trace& trace);

  std::string_view name, method, path;
  Where where;
  Access access;
  Read read;
  Work work = nullptr;

  static const Operation kTable[];
};

// The features of the API in one screen. The first row whose path fits decides, with those of the same path.
constexpr Operation Operation::kTable[] = {
    {"post_embeddings", "POST", "/embeddings", Where::api, Access::inference_key, nullptr,
     &Gateway::post_embeddings},
    {"post_embeddings_explain", "POST", "/embeddings/explain", Where::api, Access::inference_key, nullptr,
     &Gateway::post_explain},
    {"get_embeddings_models", "GET", "/embeddings/models", Where::api, Access::open,
     &Gateway::get_embeddings_models},
    {"get_models", "GET", "/models", Where::api, Access::open, &Gateway::get_models},
    {"get_models_count", "GET", "/models/count", Where::api, Access::open, &Gateway::get_models_count},
    {"get_models_user", "GET", "/models/user", Where::api, Access::any_key, &Gateway::get_models},
    {"get_openai_model", "GET", "/models/{id}", Where::api, Access::open, &Gateway::get_openai_model},
    {"get_model", "GET", "/model/{author}/{slug}", Where::api, Access::open, &Gateway::get_model},
    {"get_model_endpoints", "GET", "/models/{author}/{slug}/endpoints", Where::api, Access::open,
     &Gateway::get_model_endpoints},
    {"get_endpoints_zdr", "GET", "/endpoints/zdr", Where::api, Access::open, &Gateway::get_endpoints_zdr},
    {"get_providers", "GET", "/providers", Where::api, Access::open, &Gateway::get_providers},
    {"get_key", "GET", "/key", Where::api, Access::any_key, &Gateway::get_key},
    {"get_openapi", "GET", "/openapi.json", Where::api, Access::open, &Gateway::get_openapi},
    {"get_healthz", "GET", "/healthz", Where::root, Access::open, &Gateway::get_healthz},
    {"get_readyz", "GET", "/readyz", Where::root, Access::open, &Gateway::get_readyz},
    {"get_metrics", "GET", "/metrics", Where::root, Access::open, &Gateway::get_metrics},
};

std::vector<std::string_view> Gateway::operations() {
  std::vector<std::string_view> names;
  for (const Operation& operation : Operation::kTable) names.push_back(operation.name);
  return names;
}

namespace {

// "/api/v1/embeddings" and "/v1/embeddings" → "/embeddings". Empty if `path` is under neither.
std::string_view below_prefix(std::string_view path) {
  for (const std::string_view prefix : {"/api/v1", "/v1"}) {
    if (path.starts_with(prefix)) return path.substr(prefix.size());
  }
  return {};
}

// What stands up to the next slash behind the one `path` begins with; `path` then begins behind it.
std::string_view next_segment(std::string_view& path) {
  const std::string_view segment = path.substr(1, path.find('/', 1) - 1);
  path.remove_prefix(segment.size() + 1);
  return segment;
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

bool match_path(std::string_view pattern, std::string_view path, PathParams& params) {
  std::size_t next = 0;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = next_segment(pattern);
    const std::string_view segment = next_segment(path);
    if (!wanted.starts_with('{')) {
      if (wanted != segment) return false;
      continue;
    }
    auto decoded = api::percent_decode(segment);
    if (!decoded || decoded->empty()) return false;
    params[next++] = *std::move(decoded);
  }
  return pattern.empty() && path.empty();
}

Gateway::Gateway(const Shared& shared, embed::Embedder& embedder, const routing::Selector& selector,
                 Random& random)
    : shared_(shared),
      embedder_(embedder),
      selector_(selector),
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
  std::string_view path;  // of the table
  std::string allowed = head.path == "*" ? "GET, HEAD, POST" : "";
  PathParams params;
  for (const Operation& operation : Operation::kTable) {
    const std::string_view asked = operation.where == Where::root ? head.path : relative;
    if (path.empty() ? !match_path(operation.path, asked, params) : operation.path != path) continue;
    path = operation.path;
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
  if (auto admitted = admit(head, found->access, trace); !admitted) co_return render(admitted.error(), trace);
  Result<net::Response> response = net::Response();
  if (found->work != nullptr) {
    response = co_await (this->*found->work)(exchange, trace);
  } else {
    const Query query{head, std::move(params), trace.key};
    response = (this->*found->read)(query);
  }
  if (!response) co_return render(response.error(), trace);
  co_return *std::move(response);
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
  if (error.code() == ErrorCode::internal)  // the caller is not told
    trace.detail = error.message() + (error.detail().empty() ? "" : ": " + error.detail());
  net::Response response;
  response.status = error.http_status();
  response.body = Body(api::encode_error(error, trace.id, trace.story));
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

Result<net::Response> Gateway::get_metrics(const Query&) const {
  net::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = Body(shared_.metrics->render());
  return response;
}

Result<net::Response> Gateway::get_healthz(const Query&) const {
  return json_response(R"({"status":"ok"})");
}

Result<net::Response> Gateway::get_openapi(const Query&) const {
  net::Response response;
  response.body.append_view(api::openapi_document());
  return response;
}

net::Response json_response(std::string body) {
  net::Response response;
  response.body = Body(std::move(body));
  return response;
}

Result<net::Response> Gateway::get_readyz(const Query&) const {
  if (auto fault = shared_.readiness->fault()) return fail(*std::move(fault));
  return json_response(R"({"status":"ready"})");
}

}  // namespace embedrouter::gateway
