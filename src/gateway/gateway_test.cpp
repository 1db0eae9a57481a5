#include "gateway/gateway.h"

#include <gtest/gtest.h>

#include "api/openapi.h"
#include "testing/run_task.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::gateway {
namespace {

using testing::run_task;
using testing::ScriptedEmbedder;

// A key ring with one key, "sk-or-v1-good", and one for management.
class FixedKeys final : public ledger::KeyRing {
 public:
  std::shared_ptr<const ledger::KeyRecord> find(std::string_view key) const override {
    auto record = std::make_shared<ledger::KeyRecord>();
    record->label = "sk-or-v1-g…d";
    record->management = key == "sk-or-v1-manage";
    if (key == "sk-or-v1-good" || record->management) return record;
    return nullptr;
  }
  std::size_t size() const override { return 2; }
  void refresh() override {}
  Health health() const override { return {}; }
};

// A request that is all there already.
class FakeExchange final : public net::Exchange {
 public:
  FakeExchange(std::string_view method, std::string_view path, std::string body = {})
      : body_(std::move(body)) {
    head_.method = method;
    head_.path = path;
    head_.headers.add("Host", "127.0.0.1:8080");
    head_.content_length = body_.size();
  }
  FakeExchange& with(std::string_view name, std::string_view value) {
    return head_.headers.add(name, value), *this;
  }
  FakeExchange& with_length(std::uint64_t length) { return head_.content_length = length, *this; }

  const net::RequestHead& head() const override { return head_; }
  std::string_view peer() const override { return "127.0.0.1"; }
  Task<Result<Buffer>> read_body(std::size_t) override {
    body_was_read = true;
    co_return Buffer(body_);
  }
  void keep_informed(std::chrono::milliseconds every) override { informed_every = every; }

  bool body_was_read = false;
  std::chrono::milliseconds informed_every{0};

 private:
  net::RequestHead head_;
  std::string body_;
};

struct KeptSpans final : telemetry::SpanSink {
  void offer(telemetry::Span span) override { all.push_back(std::move(span)); }
  std::vector<telemetry::Span> all;
};

constexpr auto kBody = R"({"input":"hello","model":"test/model"})";

struct Bench {
  Bench() {
    catalog::Config config;
    catalog::ProviderConfig provider;
    provider.slug = provider.name = "fake";
    provider.base_url = "http://127.0.0.1:1/v1";
    config.providers.push_back(provider);
    for (int i = 0; i < 3; ++i) {
      catalog::ModelConfig model;
      model.id = "test/model" + (i == 0 ? std::string() : std::to_string(i));
      model.dimensions = 8;
      catalog::EndpointConfig endpoint;
      endpoint.provider = "fake";
      endpoint.upstream_model = "upstream";
      model.endpoints.push_back(endpoint);
      config.models.push_back(model);
    }
    shared.catalog = *catalog::Catalog::build(config, nullptr);
    shared.keys = &keys;
    shared.limits.body_bytes = 1000;
    shared.clock = &clock;
    shared.log = &log;
    shared.metrics = &metrics;
    shared.in_flight = &in_flight;
    shared.endpoints = &endpoints;
    shared.usage = &usage;
    shared.authority = "127.0.0.1:8080";
    shared.readiness = &readiness;
    shared.spans = &spans;
    std::vector<routing::Route> routes;
    for (const catalog::Model* model : shared.catalog->listed()) {
      for (const catalog::Endpoint& endpoint : model->endpoints)
        routes.push_back({&endpoint, nullptr, &endpoints.of(endpoint.id)});
    }
    selector = std::make_unique<routing::Selector>(*shared.catalog, std::move(routes), clock);
    gateway = std::make_unique<Gateway>(shared, embedder, *selector, random);
  }
  net::Response handle(net::Exchange& exchange) { return run_task(gateway->handle(exchange)); }
  net::Response get(std::string_view path) {
    FakeExchange exchange("GET", path);
    return handle(exchange);
  }

  FixedKeys keys;
  ManualClock clock;
  Log log{LogLevel::off};
  Metrics metrics;
  InFlight in_flight{4000};
  Readiness readiness{clock, std::chrono::seconds(5), 1};
  KeptSpans spans;
  routing::EndpointStates endpoints;
  ledger::UsageMeter usage;
  Random random{3};
  ScriptedEmbedder embedder;
  Shared shared;
  std::unique_ptr<routing::Selector> selector;
  std::unique_ptr<Gateway> gateway;
};

std::string header(const net::Response& response, std::string_view name) {
  for (const auto& h : response.headers) {
    if (h.name == name) return h.value;
  }
  return "";
}

TEST(Gateway, embeds_and_says_who_did) {
  Bench bench;
  for (const char* path : {"/api/v1/embeddings", "/v1/embeddings"}) {
    FakeExchange exchange("POST", path, kBody);
    exchange.with("authorization", "bEaReR sk-or-v1-good");
    const net::Response response = bench.handle(exchange);
    EXPECT_EQ(response.status, 200) << response.body.to_string();
    EXPECT_EQ(header(response, "X-Generation-Id").substr(0, 19), "gen-emb-1700000000-");
    EXPECT_NE(response.body.to_string().find(header(response, "X-Generation-Id")), std::string::npos);
  }
}

TEST(Gateway, authenticates_before_it_reads_the_body) {
  Bench bench;
  for (const char* value :
       {"", "Bearer", "Bearer ", "Basic sk-or-v1-good", "Bearer sk-or-v1-bad", "sk-or-v1-good"}) {
    FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
    if (*value != '\0') exchange.with("Authorization", value);
    const net::Response response = bench.handle(exchange);
    EXPECT_EQ(response.status, 401) << value;
    EXPECT_FALSE(exchange.body_was_read) << value;
    EXPECT_NE(response.body.to_string().find(R"("code":401)"), std::string::npos);
  }
}

TEST(Gateway, a_management_key_cannot_embed) {
  Bench bench;
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with("Authorization", "Bearer sk-or-v1-manage");
  EXPECT_EQ(bench.handle(exchange).status, 403);
}

TEST(Gateway, a_body_too_large_by_its_length_is_refused_before_the_key_is_looked_at) {
  Bench bench;
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with_length(1001);
  EXPECT_EQ(bench.handle(exchange).status, 413);
  EXPECT_FALSE(exchange.body_was_read);
}

TEST(Gateway, a_full_router_answers_at_the_door) {
  Bench bench;
  const auto held = bench.in_flight.enter(4000);
  ASSERT_TRUE(held);
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with("Authorization", "Bearer sk-or-v1-good");
  const net::Response response = bench.handle(exchange);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header(response, "Retry-After"), "1");
  EXPECT_FALSE(exchange.body_was_read);
}

TEST(Gateway, gives_the_bytes_back_after_each_request) {
  Bench bench;
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with("Authorization", "Bearer sk-or-v1-good");
  EXPECT_EQ(bench.handle(exchange).status, 200);
  EXPECT_EQ(bench.in_flight.held(), 0U);
}

TEST(Gateway, unknown_paths_and_wrong_methods_have_the_envelope) {
  Bench bench;
  const net::Response unknown = bench.get("/api/v1/nothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.to_string().find(R"("code":404)"), std::string::npos);
  const net::Response wrong = bench.get("/api/v1/embeddings");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(header(wrong, "Allow"), "POST, OPTIONS");
  EXPECT_EQ(bench.get("/embeddings").status, 404) << "only below a prefix";
  EXPECT_EQ(bench.get("/api/v1/healthz").status, 404) << "only at the root";
}

TEST(Gateway, without_keys_only_local_programs_are_answered) {
  Bench bench;
  bench.shared.keys = nullptr;
  FakeExchange plain("POST", "/api/v1/embeddings", kBody);
  EXPECT_EQ(bench.handle(plain).status, 200);
  FakeExchange from_a_page("POST", "/api/v1/embeddings", kBody);
  from_a_page.with("Origin", "http://127.0.0.1:8080");
  EXPECT_EQ(bench.handle(from_a_page).status, 403);
  bench.shared.authority = "127.0.0.1:9999";
  FakeExchange rebound("POST", "/api/v1/embeddings", kBody);
  EXPECT_EQ(bench.handle(rebound).status, 403);
}

TEST(Gateway, lists_models_in_pages_without_a_key) {
  Bench bench;
  const std::string all = bench.get("/api/v1/embeddings/models").body.to_string();
  EXPECT_NE(all.find(R"("total_count":3)"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("next":null)"), std::string::npos);
  FakeExchange page("GET", "/api/v1/embeddings/models");
  const_cast<net::RequestHead&>(page.head()).query = "offset=1&limit=1";
  const std::string one = bench.handle(page).body.to_string();
  EXPECT_NE(one.find(R"("next":"/api/v1/embeddings/models?offset=2&limit=1")"), std::string::npos) << one;
  FakeExchange bad("GET", "/api/v1/embeddings/models");
  const_cast<net::RequestHead&>(bad.head()).query = "limit=0";
  EXPECT_EQ(bench.handle(bad).status, 400);
}

TEST(Gateway, answers_errors_of_the_embedder_with_their_status_and_hint) {
  Bench bench;
  bench.embedder.script = {[](const api::EmbedRequest&) -> Result<api::EmbedReply> {
    return fail(Error(ErrorCode::upstream_rate_limited, "slow down")
                    .with_retry_after(std::chrono::milliseconds(1500)));
  }};
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with("Authorization", "Bearer sk-or-v1-good");
  const net::Response response = bench.handle(exchange);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(header(response, "Retry-After"), "2");
}

TEST(Gateway, keeps_clients_informed_that_can_be) {
  Bench bench;
  for (const auto& [agent, expected] :
       {std::pair{"speakeasy-sdk/python 1.3.84 2.914.0 1.0.0 openrouter", 2000},
        std::pair{"OpenAI/Python 3.54.0", 0}}) {
    FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
    exchange.with("Authorization", "Bearer sk-or-v1-good").with("User-Agent", agent);
    EXPECT_EQ(bench.handle(exchange).status, 200);
    EXPECT_EQ(exchange.informed_every.count(), expected) << agent;
  }
}

TEST(Gateway, says_which_members_it_ignored) {
  Bench bench;
  FakeExchange exchange("POST", "/api/v1/embeddings",
                        R"({"input":"hello","model":"test/model","colour":1,"shape":{}})");
  exchange.with("Authorization", "Bearer sk-or-v1-good");
  EXPECT_EQ(header(bench.handle(exchange), "X-Embedrouter-Ignored"), "colour,shape");
}

TEST(Gateway, answers_options_with_what_a_path_takes) {
  Bench bench;
  for (const auto& [path, allow] :
       {std::pair{"/api/v1/embeddings", "POST, OPTIONS"}, std::pair{"/healthz", "GET, HEAD, OPTIONS"},
        std::pair{"*", "GET, HEAD, POST, OPTIONS"}}) {
    FakeExchange exchange("OPTIONS", path);
    const net::Response response = bench.handle(exchange);
    EXPECT_EQ(response.status, 204) << path;
    EXPECT_EQ(header(response, "Allow"), allow);
  }
  FakeExchange unknown("OPTIONS", "/api/v1/nothing");
  EXPECT_EQ(bench.handle(unknown).status, 404);
}

FakeExchange preflight(std::string_view origin) {
  FakeExchange exchange("OPTIONS", "/api/v1/embeddings");
  exchange.with("Origin", origin).with("Access-Control-Request-Method", "POST");
  exchange.with("Access-Control-Request-Headers", "authorization,content-type");
  return exchange;
}

TEST(Gateway, pages_of_other_origins_are_told_nothing_unless_configured) {
  Bench bench;
  FakeExchange asked = preflight("https://app.example");
  const net::Response response = bench.handle(asked);
  EXPECT_EQ(response.status, 204);
  for (const auto& [name, value] : response.headers) EXPECT_FALSE(name.starts_with("Access-Control")) << name;
}

TEST(Gateway, pages_of_a_configured_origin_may_ask_and_read) {
  Bench bench;
  bench.shared.cors_origins = {"https://app.example"};
  FakeExchange asked = preflight("https://app.example");
  const net::Response answer = bench.handle(asked);
  EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(header(answer, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(header(answer, "Access-Control-Allow-Headers"), "authorization,content-type");
  EXPECT_EQ(header(answer, "Vary"), "Origin");

  FakeExchange post("POST", "/api/v1/embeddings", kBody);
  post.with("Origin", "https://app.example").with("Authorization", "Bearer sk-or-v1-good");
  const net::Response embedded = bench.handle(post);
  EXPECT_EQ(embedded.status, 200);
  EXPECT_EQ(header(embedded, "Access-Control-Allow-Origin"), "https://app.example");
  FakeExchange keyless("POST", "/api/v1/embeddings", kBody);
  keyless.with("Origin", "https://app.example");
  const net::Response refused = bench.handle(keyless);
  EXPECT_EQ(refused.status, 401) << "a key is asked for all the same";
  EXPECT_EQ(header(refused, "Access-Control-Allow-Origin"), "https://app.example") << "the page may read why";

  FakeExchange other = preflight("https://evil.example");
  const net::Response nothing = bench.handle(other);
  EXPECT_EQ(header(nothing, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(header(nothing, "Access-Control-Allow-Methods"), "");
  EXPECT_EQ(header(nothing, "Vary"), "Origin");
}

TEST(Gateway, an_answer_to_a_preflight_repeats_header_names_alone) {
  Bench bench;
  bench.shared.cors_origins = {"*"};
  FakeExchange asked("OPTIONS", "/api/v1/embeddings");
  asked.with("Origin", "https://any.example").with("Access-Control-Request-Method", "POST");
  asked.with("Access-Control-Request-Headers", "a: b; c");
  const net::Response response = bench.handle(asked);
  EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header(response, "Access-Control-Allow-Headers"), "");
}

TEST(Gateway, without_keys_its_own_names_are_told_from_others) {
  Bench bench;
  bench.shared.keys = nullptr;
  const auto status = [&](std::string_view authority, std::string_view host) {
    bench.shared.authority = authority;
    FakeExchange exchange("GET", "/healthz");
    const_cast<net::RequestHead&>(exchange.head()).headers.clear();
    exchange.with("Host", host);
    return bench.handle(exchange).status;
  };
  for (const char* own : {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"})
    EXPECT_EQ(status("127.0.0.1:8080", own), 200) << own;
  for (const char* other : {"127.0.0.1", "localhost", "localhost:80", "evil.example:8080",
                            "localhost.evil:8080", "127.0.0.2:8080", "", ":8080", "x127.0.0.1:8080"})
    EXPECT_EQ(status("127.0.0.1:8080", other), 403) << other;
  for (const char* own : {"127.0.0.1", "127.0.0.1:80", "localhost"})
    EXPECT_EQ(status("127.0.0.1:80", own), 200) << own;
  EXPECT_EQ(status("127.0.0.1:80", "evil.example"), 403);
  EXPECT_EQ(status("127.0.0.2:8080", "127.0.0.2:8080"), 200) << "the address it was told to listen on";
}

constexpr auto kTraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Gateway, joins_the_trace_of_its_caller) {
  Bench bench;
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with("Authorization", "Bearer sk-or-v1-good").with("traceparent", kTraceParent);
  const net::Response response = bench.handle(exchange);
  for (const auto& [name, value] : response.headers) EXPECT_FALSE(name.starts_with("trace")) << name;
  ASSERT_EQ(bench.spans.all.size(), 1U);
  const telemetry::Span& span = bench.spans.all.front();
  EXPECT_EQ(trace_id_text(span.trace), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span_id_text(span.parent), "b7ad6b7169203331");
  EXPECT_NE(span.trace.span, span.parent);
  EXPECT_EQ(span.name, "POST /embeddings");
  EXPECT_EQ(span.error, "");
}

TEST(Gateway, a_caller_that_does_not_record_is_not_recorded) {
  Bench bench;
  FakeExchange exchange("GET", "/healthz");
  exchange.with("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  bench.handle(exchange);
  EXPECT_TRUE(bench.spans.all.empty());
}

TEST(Gateway, begins_a_trace_of_its_own_where_the_caller_has_none_or_a_malformed_one) {
  Bench bench;
  bench.get("/healthz");
  FakeExchange exchange("GET", "/healthz");
  exchange.with("traceparent", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01");
  bench.handle(exchange);
  ASSERT_EQ(bench.spans.all.size(), 2U);
  EXPECT_EQ(bench.spans.all[0].parent, 0U);
  EXPECT_EQ(bench.spans.all[1].parent, 0U);
  EXPECT_NE(trace_id_text(bench.spans.all[0].trace), trace_id_text(bench.spans.all[1].trace));
}

TEST(Gateway, says_in_the_envelope_why_it_is_not_ready) {
  Bench bench;
  const net::Response early = bench.get("/readyz");
  EXPECT_EQ(early.status, 503);
  EXPECT_NE(early.body.to_string().find(R"("code":"not_ready")"), std::string::npos)
      << early.body.to_string();
  bench.readiness.works(0);
  EXPECT_EQ(bench.get("/readyz").status, 200);
  bench.clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(bench.get("/readyz").status, 503);
  EXPECT_EQ(bench.get("/healthz").status, 200) << "it lives all the same";
  bench.readiness.works(0);
  EXPECT_EQ(bench.get("/readyz").status, 200);
  bench.readiness.drain();
  EXPECT_NE(bench.get("/readyz").body.to_string().find("shutting_down"), std::string::npos);
}

TEST(Gateway, counts_what_it_did) {
  Bench bench;
  bench.get("/api/v1/nothing");
  const std::string metrics = bench.get("/metrics").body.to_string();
  EXPECT_NE(metrics.find(R"(embedrouter_requests_total{operation="none",status="404"} 1)"), std::string::npos)
      << metrics;
  EXPECT_NE(metrics.find(R"(embedrouter_errors_total{code="not_found"} 1)"), std::string::npos);
}

TEST(Gateway, the_openapi_document_holds_the_operations_of_the_table_and_no_others) {
  const std::string_view document = api::openapi_document();
  std::size_t described = 0;
  for (std::size_t at = 0; (at = document.find("\"operationId\"", at)) != std::string_view::npos; ++at)
    ++described;
  EXPECT_EQ(described, Gateway::operations().size());
  for (const std::string_view name : Gateway::operations()) {
    EXPECT_NE(document.find("\"operationId\": \"" + std::string(name) + "\""), std::string_view::npos)
        << name;
  }
  Bench bench;
  EXPECT_EQ(bench.get("/api/v1/openapi.json").body.to_string(), document);
}

TEST(MatchPath, takes_segments_in_braces_decoded) {
  PathParams params;
  EXPECT_TRUE(match_path("/model/{author}/{slug}", "/model/a%2Fb/c:free", params));
  EXPECT_EQ(params[0], "a/b");
  EXPECT_EQ(params[1], "c:free");
  EXPECT_TRUE(match_path("/models", "/models", params));
  for (const char* path : {"", "/", "/model", "/model/a", "/model/a/", "/model//b", "/model/a/b/",
                           "/model/a/b/c", "/models/a/b", "model/a/b", "/model/%/b", "/model/a/%ff"}) {
    EXPECT_FALSE(match_path("/model/{author}/{slug}", path, params)) << path;
  }
}

TEST(Gateway, an_inner_failure_tells_the_log_and_not_the_caller) {
  Bench bench;
  bench.embedder.script = {[](const api::EmbedRequest&) -> Result<api::EmbedReply> {
    return fail(Error(ErrorCode::internal, "disk full").with_provider("Acme"));
  }};
  FakeExchange exchange("POST", "/api/v1/embeddings", kBody);
  exchange.with("Authorization", "Bearer sk-or-v1-good").with("X-OpenRouter-Metadata", "enabled");
  const net::Response response = bench.handle(exchange);
  EXPECT_EQ(response.status, 500);
  const std::string body = response.body.to_string();
  for (const char* withheld : {"disk", "Acme", "openrouter_metadata", "availability"})
    EXPECT_EQ(body.find(withheld), std::string::npos) << body;
}

}  // namespace
}  // namespace embedrouter::gateway
