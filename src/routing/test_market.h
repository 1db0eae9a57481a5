#pragma once
// For the tests: a model and who offers it.

#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace embedrouter::testing {

using Offers = std::vector<std::pair<std::string, std::string>>;  // provider's slug, space

// "test/model" of eight dimensions, with a provider and an endpoint for each offer, the prices 1, 2, 3 … USD
// per million tokens.
inline catalog::Config market(const Offers& offers, const std::string& alias) {
  catalog::Config config;
  catalog::ModelConfig& model = config.models.emplace_back();
  model.id = "test/model";
  model.aliases = {alias};
  model.dimensions = 8;
  for (const auto& [slug, space] : offers) {
    catalog::ProviderConfig& provider = config.providers.emplace_back();
    provider.slug = provider.name = slug;
    provider.base_url = "http://127.0.0.1:1/v1";
    catalog::EndpointConfig& endpoint = model.endpoints.emplace_back();
    endpoint.provider = slug;
    endpoint.space = space;
    endpoint.upstream_model = "upstream";
    endpoint.price_prompt = "0.00000" + std::to_string(model.endpoints.size());
  }
  return config;
}

}  // namespace embedrouter::testing
