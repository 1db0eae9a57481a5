// The lists of models and the entry of one (CONTRACT 5).

#include "api/model_list.h"
#include "gateway/gateway.h"
#include "routing/router.h"

namespace embedrouter::gateway {
namespace {

// OpenRouter lists models that make text unless it is asked for others. OpenAI's clients know no such
// parameter and want what can be used, and so does whoever comes by OpenAI's own path.
std::string_view default_output(const net::RequestHead& head) {
  const bool openai = head.path.starts_with("/v1/") || head.headers.find("x-stainless-lang");
  return openai ? "all" : "text";
}

// By id or alias; a suffix that routes is no part of the name.
Result<const catalog::Model*> find_model(const catalog::Catalog& catalog, std::string_view name) {
  const catalog::Model* model = catalog.find(routing::split_suffix(name).name);
  if (model != nullptr) return model;
  return fail(Error(ErrorCode::model_not_found,
                    "no model of that name here; GET /api/v1/embeddings/models lists them")
                  .with_param("model"));
}

}  // namespace

Result<net::Response> Gateway::get_embeddings_models(const Query& query) const {
  const auto page = api::parse_page(query.head.query);
  if (!page) return fail(page.error());
  return json_response(
      api::encode_model_list(all_listed(Measure::nothing), *page, query.head.path, query.head.query));
}

Result<net::Response> Gateway::get_models(const Query& query) const {
  const auto wish = api::parse_model_query(query.head.query, default_output(query.head));
  if (!wish) return fail(wish.error());
  const bool by_speed =
      wish->sort == api::ModelSort::throughput_descending || wish->sort == api::ModelSort::latency_ascending;
  const auto models =
      api::select_models(all_listed(by_speed ? Measure::all : Measure::nothing), *wish, unix_now());
  return json_response(api::encode_model_list(models, wish->page, query.head.path, query.head.query));
}

Result<net::Response> Gateway::get_models_count(const Query& query) const {
  const auto wish = api::parse_model_query(query.head.query, default_output(query.head));
  if (!wish) return fail(wish.error());
  const auto models = api::select_models(all_listed(Measure::nothing), *wish, unix_now());
  return json_response(api::encode_model_count(models.size()));
}

// OpenAI's models.retrieve(): the id is one segment, its slash encoded.
Result<net::Response> Gateway::get_openai_model(const Query& query) const {
  const auto model = find_model(*shared_.catalog, query.params[0]);
  if (!model) return fail(model.error());
  std::string entry;
  api::append_model(entry, listed(**model, Measure::nothing));
  return json_response(std::move(entry));
}

Result<net::Response> Gateway::get_model(const Query& query) const {
  const auto model = find_model(*shared_.catalog, query.params[0] + "/" + query.params[1]);
  if (!model) return fail(model.error());
  return json_response(api::encode_model(listed(**model, Measure::nothing)));
}

Result<net::Response> Gateway::get_model_endpoints(const Query& query) const {
  const auto model = find_model(*shared_.catalog, query.params[0] + "/" + query.params[1]);
  if (!model) return fail(model.error());
  return json_response(api::encode_model_endpoints(listed(**model, measure_for(query))));
}

Result<net::Response> Gateway::get_endpoints_zdr(const Query& query) const {
  return json_response(api::encode_zdr_endpoints(all_listed(measure_for(query))));
}

}  // namespace embedrouter::gateway
