#include "json_args.h"

namespace sdk_driver {
namespace {

sdk::Input input_of(const element& from) {
  if (from.is_string()) return {std::string(from.get_string().value())};
  const array items = from.get_array().value();
  if (items.size() == 0 || items.at(0).is_string()) {
    std::vector<std::string> texts;
    read(from, texts);
    return {texts};
  }
  if (items.at(0).is_number()) {
    sdk::TokenIds ids;
    read(from, ids);
    return {ids};
  }
  if (items.at(0).is_array()) {
    std::vector<sdk::TokenIds> ids;
    read(from, ids);
    return {ids};
  }
  using Type = sdk::ContentPart::Type;
  static const std::pair<std::string_view, Type> kTypes[] = {{"text", Type::text},
                                                             {"image_url", Type::image_url},
                                                             {"input_audio", Type::input_audio},
                                                             {"input_video", Type::input_video},
                                                             {"input_file", Type::input_file}};
  std::vector<sdk::ContentItem> out;
  for (const element item : items) {
    sdk::ContentItem& content = out.emplace_back();
    for (const element part : item["content"].get_array().value()) {
      const std::string_view type = part["type"].get_string().value();
      const auto* known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                       [type](const auto& entry) { return entry.first == type; });
      sdk::ContentPart& made = content.content.emplace_back();
      made.type = known->second;
      const element payload = part[type].value();
      if (payload.is_string()) {
        read(payload, made.value);
        continue;
      }
      const object media = payload.get_object().value();
      take(media, "url", made.value);
      take(media, "data", made.value);
      take(media, "format", made.format);
    }
  }
  return {out};
}

void read_limits(const object& from, std::string_view name,
                 std::optional<std::variant<double, sdk::Percentiles>>& out) {
  const auto found = member(from, name);
  if (!found) return;
  if (found->is_number()) {
    out = found->get_double().value();
    return;
  }
  sdk::Percentiles at;
  const object percentiles = found->get_object().value();
  take(percentiles, "p50", at.p50);
  take(percentiles, "p75", at.p75);
  take(percentiles, "p90", at.p90);
  take(percentiles, "p99", at.p99);
  out = at;
}

sdk::ProviderPreferences provider_of(const object& from) {
  sdk::ProviderPreferences out;
  take(from, "order", out.order);
  take(from, "only", out.only);
  take(from, "ignore", out.ignore);
  take(from, "allow_fallbacks", out.allow_fallbacks);
  take(from, "require_parameters", out.require_parameters);
  take(from, "data_collection", out.data_collection);
  take(from, "zdr", out.zdr);
  take(from, "enforce_distillable_text", out.enforce_distillable_text);
  take(from, "quantizations", out.quantizations);
  read_limits(from, "preferred_min_throughput", out.preferred_min_throughput);
  read_limits(from, "preferred_max_latency", out.preferred_max_latency);
  if (const auto sort = member(from, "sort")) {
    if (sort->is_string()) {
      out.sort = std::string(sort->get_string().value());
    } else {
      sdk::ProviderPreferences::SortBy by;
      take(sort->get_object().value(), "by", by.by);
      take(sort->get_object().value(), "partition", by.partition);
      out.sort = by;
    }
  }
  if (const auto price = member(from, "max_price")) {
    sdk::ProviderPreferences::MaxPrice most;
    const object prices = price->get_object().value();
    take(prices, "prompt", most.prompt);
    take(prices, "completion", most.completion);
    take(prices, "request", most.request);
    take(prices, "image", most.image);
    take(prices, "audio", most.audio);
    out.max_price = most;
  }
  if (const auto options = member(from, "options")) out.options = others(options->get_object().value(), {});
  return out;
}

sdk::RetryConfig retries_of(const object& from) {
  sdk::RetryConfig out;
  const auto milliseconds = [&from](std::string_view name, std::chrono::milliseconds& into) {
    if (const auto found = member(from, name)) into = std::chrono::milliseconds(found->get_int64().value());
  };
  take(from, "enabled", out.enabled);
  milliseconds("initial", out.backoff.initial);
  milliseconds("max", out.backoff.max);
  take(from, "exponent", out.backoff.exponent);
  milliseconds("max_elapsed", out.backoff.max_elapsed);
  milliseconds("jitter", out.backoff.jitter);
  take(from, "connection_errors", out.connection_errors);
  take(from, "status_codes", out.status_codes);
  take(from, "max_attempts", out.max_attempts);
  return out;
}

}  // namespace

sdk::EmbeddingsRequest request_of(const object& args) {
  sdk::EmbeddingsRequest out{.input = input_of(args["input"].value()), .model = {}};
  take(args, "model", out.model);
  take(args, "dimensions", out.dimensions);
  take(args, "encoding_format", out.encoding_format);
  take(args, "input_type", out.input_type);
  take(args, "user", out.user);
  take(args, "session_id", out.session_id);
  if (const auto provider = member(args, "provider")) {
    if (provider->is_null()) {
      out.provider = nullptr;
    } else {
      out.provider = provider_of(provider->get_object().value());
    }
  }
  if (const auto trace = member(args, "trace")) {
    const object from = trace->get_object().value();
    sdk::TraceConfig config;
    take(from, "trace_id", config.trace_id);
    take(from, "trace_name", config.trace_name);
    take(from, "span_name", config.span_name);
    take(from, "generation_name", config.generation_name);
    take(from, "parent_span_id", config.parent_span_id);
    config.others =
        others(from, {"trace_id", "trace_name", "span_name", "generation_name", "parent_span_id"});
    out.trace = config;
  }
  return out;
}

sdk::CallOptions options_of(const object& args) {
  sdk::CallOptions out;
  take(args, "server_url", out.server_url);
  take(args, "http_referer", out.http_referer);
  take(args, "x_open_router_title", out.title);
  take(args, "x_open_router_categories", out.categories);
  if (const auto timeout = member(args, "timeout_ms"))
    out.timeout = std::chrono::milliseconds(timeout->get_int64().value());
  if (const auto headers = member(args, "http_headers")) {
    for (const auto field : headers->get_object().value())
      out.headers.add(std::string(field.key), std::string(field.value.get_string().value()));
  }
  if (const auto retries = member(args, "retries")) out.retries = retries_of(retries->get_object().value());
  return out;
}

sdk::ClientOptions client_of(const object& args) {
  sdk::ClientOptions out;
  std::optional<std::string> key;
  take(args, "api_key", key);
  if (key) out.api_key = *key;
  take(args, "server_url", out.server_url);
  take(args, "http_referer", out.http_referer);
  take(args, "x_open_router_title", out.title);
  take(args, "x_open_router_categories", out.categories);
  take(args, "max_response_bytes", out.transport_options.max_response_bytes);
  take(args, "proxy", out.transport_options.proxy);
  take(args, "ca_file", out.transport_options.tls.ca_file);
  take(args, "client_cert", out.transport_options.tls.client_cert);
  take(args, "client_key", out.transport_options.tls.client_key);
  if (const auto timeout = member(args, "timeout_ms"))
    out.timeout = std::chrono::milliseconds(timeout->get_int64().value());
  if (const auto retries = member(args, "retry_config"))
    out.retries = retries_of(retries->get_object().value());
  return out;
}

}  // namespace sdk_driver
