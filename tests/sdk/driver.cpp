// sdk-driver: makes the calls it reads, one JSON object a line, and says what became of each, one line each.
// Waits between attempts take no time and are reported.
//   {"call": "embeddings.generate", "client": {…}, "args": {…}}
#include <embedrouter/testing/mock_transport.h>

#include <iostream>

#include "json_args.h"
#include "printed.h"

namespace sdk_driver {
namespace {

std::string matrix_of(const sdk::Matrix& matrix) {
  std::string out = R"(,"matrix":{"rows":)" + std::to_string(matrix.rows()) + R"(,"width":)" +
                    std::to_string(matrix.width()) + R"(,"values":[)";
  for (std::size_t i = 0; i < std::min<std::size_t>(matrix.size(), 4096); ++i)
    out += (i == 0 ? "" : ",") + printed(static_cast<double>(matrix.data()[i]));
  return out + "]}";
}
std::string summary(const sdk::EmbeddingsResponse& reply) {
  std::string out = R"({"id":)" + printed(reply.id) + R"(,"object":)" + printed(reply.object) +
                    R"(,"model":)" + printed(reply.model) + R"(,"usage":)" + printed(reply.usage) +
                    R"(,"data":[)";
  for (const sdk::EmbeddingView& view : reply.data()) {
    if (!out.ends_with('[')) out += ',';
    out += R"({"object":"embedding","index":)" + printed(view.index) + R"(,"embedding":)" +
           (view.base64 ? printed(view.text) : std::string(view.text)) + '}';
  }
  return out + "]}";
}
std::string summary(const sdk::EmbedAllResult& result) {
  std::string out = R"({"failures":[)";
  for (const auto& failure : result.failures)
    out += (out.ends_with('[') ? "" : ",") + std::to_string(failure.item);
  return out + "]}";
}
std::string summary(const auto& value) {
  return printed(value);
}

// What no member of the answer holds: what can be made of it.
std::string made_of(const sdk::EmbeddingsResponse& reply) {
  const auto matrix = reply.matrix();
  return R"(,"provider":)" + printed(reply.provider) +
         (matrix ? matrix_of(*matrix) : R"(,"matrix_error":)" + printed(matrix.error().message()));
}
std::string made_of(const sdk::EmbedAllResult& result) {
  return matrix_of(result.vectors);
}
std::string made_of(const sdk::ModelsPage& page) {
  return R"(,"next":)" + printed(page.next().has_value());
}
std::string made_of(const auto&) {
  return {};
}

std::string report(const sdk::Error& error) {
  std::string out = R"("error":{"class":)" + printed(class_name(error.kind())) + R"(,"kind":)" +
                    std::to_string(static_cast<int>(error.kind())) + R"(,"message":)" +
                    printed(error.message()) + R"(,"status":)" + std::to_string(error.status());
  if (const auto* answer = error.answer()) {
    out += R"(,"body":)" + printed(answer->body) + R"(,"user_id":)" + printed(answer->user_id) +
           R"(,"metadata":)" + answer->metadata.value_or("null") + R"(,"openrouter_metadata":)" +
           answer->openrouter_metadata.value_or("null");
    if (answer->code) {
      out +=
          R"(,"code":)" + std::to_string(*answer->code) + R"(,"error_message":)" + printed(answer->message);
    }
  }
  return out + '}';
}
template <class T>
std::string report(const sdk::Result<T>& result) {
  if (!result) return report(result.error());
  if constexpr (std::is_void_v<T>) {
    return R"("ok":true)";
  } else {
    return R"("ok":)" + summary(*result) + made_of(*result);
  }
}

std::string text(const object& args, std::string_view name) {
  std::string out;
  take(args, name, out);
  return out;
}

sdk::ModelsQuery models_query(const object& a) {
  sdk::ModelsQuery q;
  take(a, "offset", q.page.offset);
  take(a, "limit", q.page.limit);
  take(a, "category", q.category);
  take(a, "supported_parameters", q.supported_parameters);
  take(a, "output_modalities", q.output_modalities);
  take(a, "sort", q.sort);
  take(a, "q", q.q);
  take(a, "input_modalities", q.input_modalities);
  take(a, "context", q.context);
  take(a, "min_price", q.min_price);
  take(a, "max_price", q.max_price);
  take(a, "arch", q.arch);
  take(a, "model_authors", q.model_authors);
  take(a, "providers", q.providers);
  take(a, "distillable", q.distillable);
  take(a, "zdr", q.zdr);
  take(a, "region", q.region);
  take(a, "min_output_price", q.min_output_price);
  take(a, "max_output_price", q.max_output_price);
  take(a, "min_age_days", q.min_age_days);
  take(a, "max_age_days", q.max_age_days);
  take(a, "min_intelligence_index", q.min_intelligence_index);
  take(a, "max_intelligence_index", q.max_intelligence_index);
  take(a, "min_coding_index", q.min_coding_index);
  take(a, "max_coding_index", q.max_coding_index);
  take(a, "min_agentic_index", q.min_agentic_index);
  take(a, "max_agentic_index", q.max_agentic_index);
  take(a, "min_tool_success_rate", q.min_tool_success_rate);
  take(a, "max_tool_success_rate", q.max_tool_success_rate);
  return q;
}

template <class T>
T byok_members(const object& a, T request) {
  take(a, "key", request.key);
  take(a, "name", request.name);
  take(a, "disabled", request.disabled);
  take(a, "is_fallback", request.is_fallback);
  take(a, "is_byok_only", request.is_byok_only);
  take(a, "is_required", request.is_required);
  take(a, "declared_region", request.declared_region);
  take(a, "declared_zdr", request.declared_zdr);
  take(a, "allowed_models", request.allowed_models);
  take(a, "allowed_api_key_hashes", request.allowed_api_key_hashes);
  take(a, "allowed_user_ids", request.allowed_user_ids);
  return request;
}

sdk::CreateApiKeyRequest new_key(const object& a) {
  sdk::CreateApiKeyRequest request{.name = text(a, "name")};
  take(a, "limit", request.limit);
  take(a, "limit_reset", request.limit_reset);
  take(a, "expires_at", request.expires_at);
  take(a, "include_byok_in_limit", request.include_byok_in_limit);
  take(a, "creator_user_id", request.creator_user_id);
  take(a, "workspace_id", request.workspace_id);
  if (const auto external = member(a, "external")) {
    sdk::CreateApiKeyRequest::External made{.user = text(external->get_object().value(), "user")};
    take(external->get_object().value(), "api_key", made.api_key);
    request.external = made;
  }
  return request;
}

sdk::UpdateApiKeyRequest changed_key(const object& a) {
  sdk::UpdateApiKeyRequest request;
  take(a, "name", request.name);
  take(a, "disabled", request.disabled);
  take(a, "limit", request.limit);
  take(a, "limit_reset", request.limit_reset);
  take(a, "include_byok_in_limit", request.include_byok_in_limit);
  take(a, "workspace_id", request.workspace_id);
  return request;
}

std::string account_call(const sdk::Client& client, std::string_view name, const object& a,
                         const sdk::CallOptions& o) {
  if (name == "api_keys.get_current_key_metadata")
    return report(client.api_keys().get_current_key_metadata(o).get());
  if (name == "api_keys.list") {
    sdk::ApiKeysQuery query;
    take(a, "offset", query.offset);
    take(a, "include_disabled", query.include_disabled);
    take(a, "include_expired", query.include_expired);
    take(a, "workspace_id", query.workspace_id);
    return report(client.api_keys().list(query, o).get());
  }
  if (name == "api_keys.create") return report(client.api_keys().create(new_key(a), o).get());
  if (name == "api_keys.get") return report(client.api_keys().get(text(a, "hash"), o).get());
  if (name == "api_keys.update")
    return report(client.api_keys().update(text(a, "hash"), changed_key(a), o).get());
  if (name == "api_keys.delete") return report(client.api_keys().remove(text(a, "hash"), o).get());
  if (name == "credits.get_credits") return report(client.credits().get_credits(o).get());
  if (name == "generations.get_generation")
    return report(client.generations().get_generation(text(a, "id"), o).get());
  if (name == "analytics.get_user_activity") {
    sdk::ActivityQuery query;
    take(a, "date", query.date);
    take(a, "api_key_hash", query.api_key_hash);
    take(a, "user_id", query.user_id);
    take(a, "group_by", query.group_by);
    take(a, "workspace_id", query.workspace_id);
    return report(client.analytics().get_user_activity(query, o).get());
  }
  if (name == "byok.list") {
    sdk::ByokQuery query;
    take(a, "offset", query.offset);
    take(a, "limit", query.limit);
    take(a, "workspace_id", query.workspace_id);
    take(a, "provider", query.provider);
    return report(client.byok().list(query, o).get());
  }
  if (name == "byok.create") {
    auto request = byok_members(a, sdk::CreateByokKeyRequest{.provider = text(a, "provider"), .key = {}});
    take(a, "workspace_id", request.workspace_id);
    return report(client.byok().create(request, o).get());
  }
  if (name == "byok.get") return report(client.byok().get(text(a, "id"), o).get());
  if (name == "byok.update")
    return report(client.byok().update(text(a, "id"), byok_members(a, sdk::UpdateByokKeyRequest{}), o).get());
  if (name == "byok.delete") return report(client.byok().remove(text(a, "id"), o).get());
  return R"("unknown":true)";
}

std::string call(const sdk::Client& client, std::string_view name, const object& a) {
  const sdk::CallOptions o = options_of(a);
  if (name == "embeddings.generate") return report(client.embeddings().generate(request_of(a), o).get());
  if (name == "embed_all") {
    sdk::EmbedAllOptions options{.model = text(a, "model")};
    take(a, "batch_items", options.batch_items);
    std::vector<std::string> texts;
    take(a, "input", texts);
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    return report(client.embeddings().embed_all(views, options));
  }
  if (name == "embeddings.list_models") {
    sdk::PageQuery page;
    take(a, "offset", page.offset);
    take(a, "limit", page.limit);
    return report(client.embeddings().list_models(page, o).get());
  }
  if (name == "models.list") return report(client.models().list(models_query(a), o).get());
  if (name == "models.count") {
    std::optional<std::string> modalities;
    take(a, "output_modalities", modalities);
    return report(client.models().count(modalities, o).get());
  }
  if (name == "models.list_for_user") {
    sdk::UserModelsQuery query;
    take(a, "offset", query.page.offset);
    take(a, "limit", query.page.limit);
    take(a, "output_modalities", query.output_modalities);
    take(a, "sort", query.sort);
    return report(client.models().list_for_user(text(a, "bearer"), query, o).get());
  }
  if (name == "models.get") return report(client.models().get(text(a, "author"), text(a, "slug"), o).get());
  if (name == "endpoints.list")
    return report(client.endpoints().list(text(a, "author"), text(a, "slug"), o).get());
  if (name == "endpoints.list_zdr_endpoints") return report(client.endpoints().list_zdr_endpoints(o).get());
  if (name == "providers.list") return report(client.providers().list(o).get());
  return account_call(client, name, a, o);
}

std::string answer(const element& line) {
  const auto time = std::make_shared<sdk::testing::MockTime>();
  sdk::ClientOptions options = client_of(line["client"].get_object().value());
  options.sleeper = time;
  options.retry_sources = {[time] { return time->now(); }, [] { return 0.5; }};
  std::uint32_t attempts = 0;
  options.hooks.before_request = [&attempts](const sdk::HookContext&,
                                             sdk::HttpRequest&) -> sdk::Result<void> {
    ++attempts;
    return {};
  };
  const sdk::Client client(options);
  std::string out = "{" + call(client, line["call"].get_string().value(), line["args"].get_object().value());
  out += R"(,"attempts":)" + std::to_string(attempts) + R"(,"waits":[)";
  for (const auto wait : time->waits()) out += (out.ends_with('[') ? "" : ",") + std::to_string(wait.count());
  return out + "]}";
}

}  // namespace
}  // namespace sdk_driver

int main() {
  simdjson::dom::parser parser;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << sdk_driver::answer(parser.parse(line).value()) << std::endl;
  }
}
