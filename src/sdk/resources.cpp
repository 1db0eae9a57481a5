// The operations of the API but embeddings: each is a path, a query or a body, and the type of its answer.
#include <embedrouter/client.h>

#include "sdk/account_types.h"
#include "sdk/answer.h"
#include "sdk/model_types.h"
#include "sdk/request_body.h"
#include "sdk/resource_call.h"

namespace embedrouter::sdk::inline v0 {
namespace {

void add_page(QueryWriter& query, const PageQuery& page) {
  query.add("offset", page.offset);
  query.add("limit", page.limit);
}

Result<std::string> query_of(const ModelsQuery& q) {
  QueryWriter query;
  add_page(query, q.page);
  query.add("category", q.category);
  query.add("supported_parameters", q.supported_parameters);
  query.add("output_modalities", q.output_modalities);
  query.add("sort", q.sort);
  query.add("q", q.q);
  query.add("input_modalities", q.input_modalities);
  query.add("context", q.context);
  query.add("min_price", q.min_price);
  query.add("max_price", q.max_price);
  query.add("arch", q.arch);
  query.add("model_authors", q.model_authors);
  query.add("providers", q.providers);
  query.add("distillable", q.distillable);
  query.add("zdr", q.zdr);
  query.add("region", q.region);
  query.add("min_output_price", q.min_output_price);
  query.add("max_output_price", q.max_output_price);
  query.add("min_age_days", q.min_age_days);
  query.add("max_age_days", q.max_age_days);
  query.add("min_intelligence_index", q.min_intelligence_index);
  query.add("max_intelligence_index", q.max_intelligence_index);
  query.add("min_coding_index", q.min_coding_index);
  query.add("max_coding_index", q.max_coding_index);
  query.add("min_agentic_index", q.min_agentic_index);
  query.add("max_agentic_index", q.max_agentic_index);
  query.add("min_tool_success_rate", q.min_tool_success_rate);
  query.add("max_tool_success_rate", q.max_tool_success_rate);
  return query.take();
}

// A list of models whose pages know how to go on. A page keeps the connection; the call does not, as no call
// does.
template <class Follow>
Call<ModelsPage> models_page(const std::shared_ptr<Connection>& connection, Result<ApiCall> call,
                             const Operation& operation, const PageQuery& page, Follow follow) {
  return ready<ModelsPage>(connection, std::move(call),
                           [&operation, page, follow = std::move(follow),
                            weak = std::weak_ptr(connection)](HttpResponse response) {
                             auto models = decode<ModelsPage>(operation, std::move(response));
                             if (!models) return models;
                             models->page = page;
                             if (auto kept = weak.lock())
                               models->follow = [follow, kept = std::move(kept)](PageQuery next) {
                                 return follow(kept, next);
                               };
                             return models;
                           });
}

Call<void> remove_call(const std::shared_ptr<Connection>& connection, Result<ApiCall> call,
                       const Operation& operation) {
  return ready<void>(connection, std::move(call), [&operation](HttpResponse response) -> Result<void> {
    HttpResponse copy = response;
    const auto done = decode<Deleted>(operation, std::move(response));
    if (!done) return fail(done.error());
    if (!done->deleted) return fail(validation_error(std::move(copy), "deleted is not true"));
    return {};
  });
}

Result<std::string> body_of(const CreateApiKeyRequest& request) {
  ObjectWriter out;
  out.member("name", request.name);
  out.member("creator_user_id", request.creator_user_id);
  out.member("expires_at", request.expires_at);
  if (request.external) {
    out.object("external", [&out, &external = *request.external] {
      out.member("user", external.user);
      out.member("api_key", external.api_key);
    });
  }
  out.member("include_byok_in_limit", request.include_byok_in_limit);
  out.member("limit", request.limit);
  out.member("limit_reset", request.limit_reset);
  out.member("workspace_id", request.workspace_id);
  return out.take();
}

Result<std::string> body_of(const UpdateApiKeyRequest& request) {
  ObjectWriter out;
  out.member("disabled", request.disabled);
  out.member("include_byok_in_limit", request.include_byok_in_limit);
  out.member("limit", request.limit);
  out.member("limit_reset", request.limit_reset);
  out.member("name", request.name);
  out.member("workspace_id", request.workspace_id);
  return out.take();
}

// What creation and change of provider keys share.
void write_byok(ObjectWriter& out, const auto& request) {
  out.member("key", request.key);
  out.member("allowed_api_key_hashes", request.allowed_api_key_hashes);
  out.member("allowed_models", request.allowed_models);
  out.member("allowed_user_ids", request.allowed_user_ids);
  out.member("declared_region", request.declared_region);
  out.member("declared_zdr", request.declared_zdr);
  out.member("disabled", request.disabled);
  out.member("is_byok_only", request.is_byok_only);
  out.member("is_fallback", request.is_fallback);
  out.member("is_required", request.is_required);
  out.member("name", request.name);
}

Result<std::string> body_of(const CreateByokKeyRequest& request) {
  ObjectWriter out;
  out.member("provider", request.provider);
  write_byok(out, request);
  out.member("workspace_id", request.workspace_id);
  return out.take();
}

Result<std::string> body_of(const UpdateByokKeyRequest& request) {
  ObjectWriter out;
  write_byok(out, request);
  return out.take();
}

}  // namespace

std::optional<Call<ModelsPage>> ModelsPage::next() const {
  const auto limit = static_cast<std::size_t>(page.limit.value_or(500));
  if (models.empty() || models.size() < limit || !follow) return std::nullopt;
  return follow({page.offset.value_or(0) + static_cast<std::int64_t>(models.size()), page.limit});
}

Call<ModelsPage> Embeddings::list_models(PageQuery page, CallOptions options) const {
  QueryWriter query;
  add_page(query, page);
  auto call = call_of(operations::kListEmbeddingsModels, "/embeddings/models", query.take(), options);
  return models_page(connection_, std::move(call), operations::kListEmbeddingsModels, page,
                     [options = std::move(options)](const auto& kept, PageQuery next) {
                       return Embeddings(kept).list_models(next, options);
                     });
}

Call<ModelsPage> Models::list(const ModelsQuery& query, CallOptions options) const {
  auto call = call_of(operations::kModelsList, "/models", query_of(query), options);
  return models_page(connection_, std::move(call), operations::kModelsList, query.page,
                     [query, options = std::move(options)](const auto& kept, PageQuery next) {
                       ModelsQuery following = query;
                       following.page = next;
                       return Models(kept).list(following, options);
                     });
}

Call<ModelsPage> Models::list_for_user(std::string bearer, const UserModelsQuery& query,
                                       CallOptions options) const {
  QueryWriter text;
  add_page(text, query.page);
  text.add("output_modalities", query.output_modalities);
  text.add("sort", query.sort);
  auto call = call_of(operations::kModelsUser, "/models/user", text.take(), options);
  if (call) call->bearer = bearer;
  return models_page(
      connection_, std::move(call), operations::kModelsUser, query.page,
      [bearer = std::move(bearer), query, options = std::move(options)](const auto& kept, PageQuery next) {
        UserModelsQuery following = query;
        following.page = next;
        return Models(kept).list_for_user(bearer, following, options);
      });
}

namespace {
struct Count {
  std::int64_t count = 0;
};
}  // namespace
}  // namespace embedrouter::sdk::inline v0

namespace embedrouter::sdk {
template <>
struct Schema<v0::Count> {
  static constexpr std::tuple kMembers{required<&v0::Count::count>("count")};
};

inline namespace v0 {

Call<std::int64_t> Models::count(const std::optional<std::string>& output_modalities,
                                 CallOptions options) const {
  QueryWriter query;
  query.add("output_modalities", output_modalities);
  return ready<std::int64_t>(
      connection_, call_of(operations::kModelsCount, "/models/count", query.take(), std::move(options)),
      [](HttpResponse response) -> Result<std::int64_t> {
        auto answer = decode<DataOf<Count>>(operations::kModelsCount, std::move(response));
        if (!answer) return fail(std::move(answer).error());
        return answer->data.count;
      });
}

Call<Model> Models::get(std::string_view author, std::string_view slug, CallOptions options) const {
  return data_call<Model>(connection_, operations::kModelsGet,
                          PathWriter("/model").segment("author", author).segment("slug", slug).take(), {},
                          std::move(options));
}

Call<ModelEndpoints> Endpoints::list(std::string_view author, std::string_view slug,
                                     CallOptions options) const {
  return data_call<ModelEndpoints>(
      connection_, operations::kEndpointsList,
      PathWriter("/models").segment("author", author).segment("slug", slug).text("/endpoints").take(), {},
      std::move(options));
}

Call<std::vector<Endpoint>> Endpoints::list_zdr_endpoints(CallOptions options) const {
  return data_call<std::vector<Endpoint>>(connection_, operations::kEndpointsZdr, "/endpoints/zdr", {},
                                          std::move(options));
}

Call<std::vector<Provider>> Providers::list(CallOptions options) const {
  return data_call<std::vector<Provider>>(connection_, operations::kProvidersList, "/providers", {},
                                          std::move(options));
}

Call<CurrentApiKey> ApiKeys::get_current_key_metadata(CallOptions options) const {
  return data_call<CurrentApiKey>(connection_, operations::kCurrentKey, "/key", {}, std::move(options));
}

Call<std::vector<ApiKey>> ApiKeys::list(const ApiKeysQuery& query, CallOptions options) const {
  QueryWriter text;
  text.add("include_disabled", query.include_disabled);
  text.add("include_expired", query.include_expired);
  text.add("offset", query.offset);
  text.add("workspace_id", query.workspace_id);
  return data_call<std::vector<ApiKey>>(connection_, operations::kKeysList, "/keys", text.take(),
                                        std::move(options));
}

Call<CreatedApiKey> ApiKeys::create(const CreateApiKeyRequest& request, CallOptions options) const {
  return body_call<CreatedApiKey>(connection_, operations::kKeysCreate, "/keys", {}, std::move(options),
                                  body_of(request));
}

Call<ApiKey> ApiKeys::get(std::string_view hash, CallOptions options) const {
  return data_call<ApiKey>(connection_, operations::kKeysGet,
                           PathWriter("/keys").segment("hash", hash).take(), {}, std::move(options));
}

Call<ApiKey> ApiKeys::update(std::string_view hash, const UpdateApiKeyRequest& request,
                             CallOptions options) const {
  return data_call<ApiKey>(connection_, operations::kKeysUpdate,
                           PathWriter("/keys").segment("hash", hash).take(), {}, std::move(options),
                           body_of(request));
}

Call<void> ApiKeys::remove(std::string_view hash, CallOptions options) const {
  return remove_call(connection_,
                     call_of(operations::kKeysDelete, PathWriter("/keys").segment("hash", hash).take(), {},
                             std::move(options)),
                     operations::kKeysDelete);
}

Call<Credits> CreditsResource::get_credits(CallOptions options) const {
  return data_call<Credits>(connection_, operations::kCredits, "/credits", {}, std::move(options));
}

Call<Generation> Generations::get_generation(std::string_view id, CallOptions options) const {
  QueryWriter query;
  query.add("id", id);
  return data_call<Generation>(connection_, operations::kGeneration, "/generation", query.take(),
                               std::move(options));
}

Call<std::vector<ActivityItem>> Analytics::get_user_activity(const ActivityQuery& query,
                                                             CallOptions options) const {
  QueryWriter text;
  text.add("date", query.date);
  text.add("api_key_hash", query.api_key_hash);
  text.add("user_id", query.user_id);
  text.add("group_by", query.group_by);
  text.add("workspace_id", query.workspace_id);
  return data_call<std::vector<ActivityItem>>(connection_, operations::kActivity, "/activity", text.take(),
                                              std::move(options));
}

Call<ByokPage> Byok::list(const ByokQuery& query, CallOptions options) const {
  QueryWriter text;
  text.add("offset", query.offset);
  text.add("limit", query.limit);
  text.add("workspace_id", query.workspace_id);
  text.add("provider", query.provider);
  return body_call<ByokPage>(connection_, operations::kByokList, "/byok", text.take(), std::move(options));
}

Call<ByokKey> Byok::create(const CreateByokKeyRequest& request, CallOptions options) const {
  return data_call<ByokKey>(connection_, operations::kByokCreate, "/byok", {}, std::move(options),
                            body_of(request));
}

Call<ByokKey> Byok::get(std::string_view id, CallOptions options) const {
  return data_call<ByokKey>(connection_, operations::kByokGet, PathWriter("/byok").segment("id", id).take(),
                            {}, std::move(options));
}

Call<ByokKey> Byok::update(std::string_view id, const UpdateByokKeyRequest& request,
                           CallOptions options) const {
  return data_call<ByokKey>(connection_, operations::kByokUpdate,
                            PathWriter("/byok").segment("id", id).take(), {}, std::move(options),
                            body_of(request));
}

Call<void> Byok::remove(std::string_view id, CallOptions options) const {
  return remove_call(
      connection_,
      call_of(operations::kByokDelete, PathWriter("/byok").segment("id", id).take(), {}, std::move(options)),
      operations::kByokDelete);
}

}  // namespace v0
}  // namespace embedrouter::sdk
