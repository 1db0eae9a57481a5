#include <algorithm>

#include "api/model_list.h"
#include "gateway/gateway.h"
#include "gateway/trace.h"

namespace embedrouter::gateway {
namespace {

api::ListedModel listed(const catalog::Model& model) {
  api::ListedModel entry;
  entry.id = model.id;
  entry.name = model.name;
  entry.description = model.description;
  entry.tokenizer = model.tokenizer;
  entry.created = model.created;
  entry.context_length = model.context_length;
  entry.dimensions = model.dimensions;
  entry.matryoshka = model.matryoshka;
  entry.aliases = model.aliases;
  entry.normalized = model.normalized;
  if (model.symmetric)
    entry.input_types = {"search_query", "search_document", "query", "document", "passage"};
  for (const catalog::Endpoint& endpoint : model.endpoints) {
    entry.endpoints.push_back({endpoint.provider_name, endpoint.price_prompt, endpoint.space,
                               endpoint.quantization, endpoint.max_batch_items, endpoint.normalized,
                               endpoint.token_ids});
    for (const std::string& type : endpoint.input_types) {
      if (std::ranges::find(entry.input_types, type) == entry.input_types.end())
        entry.input_types.emplace_back(type);
    }
  }
  const auto cheapest = std::ranges::min_element(model.endpoints, {}, &catalog::Endpoint::pico_usd_per_token);
  if (cheapest != model.endpoints.end()) entry.price_prompt = cheapest->price_prompt;
  return entry;
}

}  // namespace

net::Response Gateway::get_embeddings_models(const net::RequestHead& head, Trace& trace) const {
  auto page = api::parse_page(head.query);
  if (!page) return render(page.error(), trace);
  std::vector<api::ListedModel> models;
  for (const catalog::Model* model : shared_.catalog->listed()) models.push_back(listed(*model));
  net::Response response;
  response.body = Body(api::encode_model_list(models, *page, head.path));
  return response;
}

}  // namespace embedrouter::gateway
