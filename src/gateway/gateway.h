#pragma once
// The HTTP operations. One file per operation; this one is the table of paths.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "gateway/in_flight.h"
#include "gateway/readiness.h"
#include "ledger/keys.h"
#include "net/server.h"
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
  const Readiness* readiness = nullptr;
  telemetry::SpanSink* spans = nullptr;   // null: nobody collects them
  std::vector<std::string> cors_origins;  // whose pages may read answers; empty: none
  std::string authority;                  // "127.0.0.1:8080": what Host must be under auth = "none"
};

struct Operation;

// One per I/O thread; used from that thread.
class Gateway final : public net::Handler {
 public:
  // All three must outlive it.
  Gateway(const Shared& shared, embed::Embedder& embedder, Random& random);
  ~Gateway() override;

  Task<net::Response> handle(net::Exchange& exchange) override;
  net::Response refuse(const Error& error) override;

 private:
  friend struct Operation;
  // What one request has come to, for its log line and its metrics.
  struct Trace;

  Task<net::Response> dispatch(net::Exchange& exchange, Trace& trace);
  Result<void> check_door(const net::RequestHead& head) const;
  Result<void> admit(const net::RequestHead& head, bool needs_key, Trace& trace) const;
  Task<net::Response> post_embeddings(net::Exchange& exchange, Trace& trace);
  Task<Result<net::Response>> embed(net::Exchange& exchange, Trace& trace);
  net::Response get_embeddings_models(const net::RequestHead& head, Trace& trace) const;
  net::Response get_metrics() const;
  net::Response render(const Error& error, Trace& trace) const;
  net::Response get_readyz(Trace& trace) const;

  void join_trace(const net::Headers& headers, Trace& trace);
  void account(const net::Exchange& exchange, const net::Response& response, const Trace& trace);
  void write_log(const net::Exchange& exchange, const net::Response& response, const Trace& trace,
                 std::chrono::nanoseconds took);
  void offer_spans(const net::RequestHead& head, const net::Response& response, const Trace& trace,
                   std::chrono::nanoseconds took);

  const Shared& shared_;
  embed::Embedder& embedder_;
  Random& random_;
  struct Meters;
  std::unique_ptr<Meters> meters_;
};

// The key of `Authorization: Bearer <key>`, the scheme in any case; empty if there is none.
std::string_view bearer_key(const net::Headers& headers);

}  // namespace embedrouter::gateway
