#include "catalog/listed.h"

#include <algorithm>
#include <utility>

namespace embedrouter::catalog {

api::ListedModel listed(const Model& model) {
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
  entry.distillable = model.distillable;
  if (model.symmetric)
    entry.input_types = {"search_query", "search_document", "query", "document", "passage"};
  for (const Endpoint& endpoint : model.endpoints) {
    api::ListedEndpoint& shown = entry.endpoints.emplace_back();
    shown.provider = endpoint.provider_name;
    shown.provider_slug = endpoint.provider_slug;
    shown.tier = name_of(endpoint.tier);
    shown.price_prompt = endpoint.price_prompt;
    shown.space = endpoint.space;
    shown.quantization = endpoint.quantization;
    shown.max_batch_items = endpoint.max_batch_items;
    shown.normalized = endpoint.normalized;
    shown.token_ids = endpoint.token_ids;
    shown.zdr = endpoint.policy.zdr;
    for (const std::string& type : endpoint.input_types) {
      if (std::ranges::find(entry.input_types, type) == entry.input_types.end())
        entry.input_types.emplace_back(type);
    }
  }
  // Of those that answer without being asked for by name, if there are any.
  const auto cheapest = std::ranges::min_element(model.endpoints, {}, [](const Endpoint& endpoint) {
    return std::pair(endpoint.tier != Tier::standard, endpoint.pico_usd_per_token);
  });
  if (cheapest != model.endpoints.end()) {
    entry.price_prompt = cheapest->price_prompt;
    entry.pico_usd_per_token = cheapest->pico_usd_per_token;
  }
  return entry;
}

}  // namespace embedrouter::catalog
