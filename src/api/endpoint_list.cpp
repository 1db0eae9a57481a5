#include "api/endpoint_list.h"

#include <array>
#include <charconv>

#include "api/json_members.h"
#include "api/model_list.h"

namespace embedrouter::api {
namespace {

// At most three decimals: nothing measured here is more exact.
std::string decimal(double value) {
  std::array<char, 64> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 3);
  std::string_view shown(text.data(), static_cast<std::size_t>(end - text.data()));
  while (shown.ends_with('0')) shown.remove_suffix(1);
  if (shown.ends_with('.')) shown.remove_suffix(1);
  return std::string(shown);
}

void append_decimal(std::string& out, std::string_view name, std::optional<double> value) {
  members::literal(out, name, value ? decimal(*value) : "null");
}

void append_percentiles(std::string& out, std::string_view name,
                        const std::optional<MeasuredPercentiles>& values) {
  if (!values) return members::nulls(out, name);
  members::key(out, name);
  out += '{';
  append_decimal(out, "p50", values->p50);
  append_decimal(out, "p75", values->p75);
  append_decimal(out, "p90", values->p90);
  append_decimal(out, "p99", values->p99);
  out += '}';
}

void append_measured(std::string& out, const MeasuredEndpoint& measured) {
  const auto latency = measured.with_latency ? measured.latency_ms : std::nullopt;
  append_decimal(out, "uptime_last_5m", measured.uptime_5m);
  append_decimal(out, "uptime_last_30m", measured.uptime_30m);
  append_decimal(out, "uptime_last_1d", measured.uptime_1d);
  append_percentiles(out, "latency_last_30m", latency);
  append_percentiles(out, "throughput_last_30m", measured.throughput);
  if (!measured.with_latency) return;
  members::key(out, "perf_last_30m_by_workload");
  out += R"({"embeddings":{)";
  append_percentiles(out, "latency", latency);
  append_percentiles(out, "throughput", measured.throughput);
  members::number(out, "request_count", static_cast<std::int64_t>(measured.answers));
  out += "}}";
}

void append_endpoint(std::string& out, const ListedModel& model, const ListedEndpoint& endpoint) {
  out += '{';
  members::text(out, "name", std::string(endpoint.provider) + " | " + std::string(model.id));
  members::text(out, "model_id", model.id);
  members::text(out, "model_name", model.name);
  members::text(out, "provider_name", endpoint.provider);
  members::text(out, "tag", endpoint.provider_slug);
  members::number(out, "context_length", model.context_length);  // not nullable; 0: unknown
  members::length(out, "max_prompt_tokens", model.context_length);
  members::nulls(out, "max_completion_tokens");
  append_pricing(out, endpoint.price_prompt);
  members::text(out, "quantization", endpoint.quantization);
  members::texts(out, "supported_parameters", supported_parameters(model));
  members::number(out, "status", endpoint.status);
  append_measured(out, endpoint.measured);
  members::flag(out, "supports_implicit_caching", false);
  endpoint.tier.empty() ? members::nulls(out, "service_tier")
                        : members::text(out, "service_tier", endpoint.tier);
  members::literal(out, "native_tools", "{}");
  members::flag(out, "supports_diarization", false);
  members::literal(out, "supports_tool_choice",
                   R"({"auto":false,"none":false,"required":false,"function":false})");
  out += '}';
}

void append_page(std::string& out, std::string_view name, std::string_view url) {
  url.empty() ? members::nulls(out, name) : members::text(out, name, url);
}

}  // namespace

std::string encode_model_endpoints(const ListedModel& model) {
  std::string out = R"({"data":{)";
  members::text(out, "id", model.id);
  members::text(out, "name", model.name);
  members::number(out, "created", model.created);
  members::text(out, "description", model.description);
  append_architecture(out, model, Absent::is_null);
  members::array(out, "endpoints", model.endpoints, [&](std::string& to, const ListedEndpoint& endpoint) {
    append_endpoint(to, model, endpoint);
  });
  return out += "}}";
}

std::string encode_zdr_endpoints(std::span<const ListedModel> models) {
  std::string out = R"({"data":[)";
  for (const ListedModel& model : models) {
    for (const ListedEndpoint& endpoint : model.endpoints) {
      if (!endpoint.zdr) continue;
      if (out.back() != '[') out += ',';
      append_endpoint(out, model, endpoint);
    }
  }
  return out += "]}";
}

std::string encode_providers(std::span<const ListedProvider> providers) {
  std::string out = "{";
  members::array(out, "data", providers, [](std::string& to, const ListedProvider& provider) {
    to += '{';
    members::text(to, "name", provider.name);
    members::text(to, "slug", provider.slug);
    append_page(to, "privacy_policy_url", provider.privacy_policy_url);
    append_page(to, "terms_of_service_url", provider.terms_of_service_url);
    append_page(to, "status_page_url", provider.status_page_url);
    members::nulls(to, "headquarters", "datacenters");
    to += '}';
  });
  return out += '}';
}

}  // namespace embedrouter::api
