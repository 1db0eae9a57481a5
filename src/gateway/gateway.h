#pragma once
// The HTTP operations. One file per operation; gateway.cpp is the table of paths.

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/model_list.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "gateway/in_flight.h"
#include "gateway/readiness.h"
#include "ledger/keys.h"
#include "ledger/usage_meter.h"
#include "net/server.h"
#include "routing/endpoint_state.h"
#include "routing/select.h"
#include "telemetry/span.h"

namespace embedrouter::gateway {

// What all threads share. Outlives every Gateway.
struct Shared {
  std::shared_ptr<const catalog::Catalog> catalog;
  const ledger::KeyRing* keys = nullptr;  // null: auth = "none"
  catalog::Config::Limits limits;
  const Clock* clock = nullptr;
  Log* log = nullptr;
  Metrics* metrics = nullptr;
  InFlight* in_flight = nullptr;
  routing::EndpointStates* endpoints = nullptr;
  ledger::UsageMeter* usage = nullptr;
  const Readiness* readiness = nullptr;
  telemetry::SpanSink* spans = nullptr;   // null: nobody collects them
  std::vector<std::string> cors_origins;  // whose pages may read answers; empty: none
  std::string authority;                  // "127.0.0.1:8080": what Host must be under auth = "none"
};

// The decoded segments of a path that its row names in braces, in their order.
using PathParams = std::array<std::string, 2>;
// True if `path` fits `pattern` ("/model/{author}/{slug}"); fills `params`.
bool match_path(std::string_view pattern, std::string_view path, PathParams& params);

// Who may ask. A key that comes with an open operation is looked at, but need not be good.
enum class Access : std::uint8_t { open, any_key, inference_key };

struct Operation;

// One per I/O thread; used from that thread.
class Gateway final : public net::Handler {
 public:
  // All four must outlive it. `selector`: of the routes that `embedder` takes, to explain them.
  Gateway(const Shared& shared, embed::Embedder& embedder, const routing::Selector& selector, Random& random);
  ~Gateway() override;

  Task<net::Response> handle(net::Exchange& exchange) override;
  net::Response refuse(const Error& error) override;

  // The names of the operations, which are the operationIds of the OpenAPI document.
  static std::vector<std::string_view> operations();

 private:
  friend struct Operation;
  // What one request has come to, for its log line and its metrics.
  struct Trace;
  // What the operations that only read look at.
  struct Query {
    const net::RequestHead& head;
    PathParams params;
    std::shared_ptr<const ledger::KeyRecord> key;  // null: none, or not a good one
  };

  Task<net::Response> dispatch(net::Exchange& exchange, Trace& trace);
  Result<void> check_door(const net::RequestHead& head) const;
  Result<void> admit(const net::RequestHead& head, Access access, Trace& trace) const;

  struct Arrived;
  Task<Result<Arrived>> read_request(net::Exchange& exchange, Trace& trace) const;
  Task<Result<net::Response>> post_embeddings(net::Exchange& exchange, Trace& trace);
  Task<Result<net::Response>> post_explain(net::Exchange& exchange, Trace& trace);
  Result<net::Response> get_embeddings_models(const Query& query) const;
  Result<net::Response> get_models(const Query& query) const;
  Result<net::Response> get_models_count(const Query& query) const;
  Result<net::Response> get_openai_model(const Query& query) const;
  Result<net::Response> get_model(const Query& query) const;
  Result<net::Response> get_model_endpoints(const Query& query) const;
  Result<net::Response> get_endpoints_zdr(const Query& query) const;
  Result<net::Response> get_providers(const Query& query) const;
  Result<net::Response> get_key(const Query& query) const;
  Result<net::Response> get_openapi(const Query& query) const;
  Result<net::Response> get_healthz(const Query& query) const;
  Result<net::Response> get_readyz(const Query& query) const;
  Result<net::Response> get_metrics(const Query& query) const;

  // listing.cpp: the catalog and the statistics as the lists show them.
  enum class Measure : std::uint8_t { nothing, without_latency, all };
  api::ListedModel listed(const catalog::Model& model, Measure measure) const;
  std::vector<api::ListedModel> all_listed(Measure measure) const;
  Measure measure_for(const Query& query) const;  // latency is shown to callers with a key (CONTRACT 5.2)
  std::int64_t unix_now() const;

  net::Response render(const Error& error, Trace& trace) const;

  void join_trace(const net::Headers& headers, Trace& trace);
  void account(const net::Exchange& exchange, const net::Response& response, const Trace& trace);
  void write_log(const net::Exchange& exchange, const net::Response& response, const Trace& trace,
                 std::chrono::nanoseconds took);
  void offer_spans(const net::RequestHead& head, const net::Response& response, const Trace& trace,
                   std::chrono::nanoseconds took);

  const Shared& shared_;
  embed::Embedder& embedder_;
  const routing::Selector& selector_;
  Random& random_;
  struct Meters;
  std::unique_ptr<Meters> meters_;
};

// The key of `Authorization: Bearer <key>`, the scheme in any case; empty if there is none.
std::string_view bearer_key(const net::Headers& headers);
// A 200 in JSON.
net::Response json_response(std::string body);

}  // namespace embedrouter::gateway
