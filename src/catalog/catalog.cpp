#include "catalog/catalog.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "catalog/values.h"

namespace embedrouter::catalog {
namespace {

constexpr std::int64_t kEmbeddedCreated = 1'630'281'600;  // 2021-08-30, when its weights were published

Endpoint make_endpoint(const EndpointConfig& from, const Model& model, const ProviderConfig& provider) {
  Endpoint endpoint;
  endpoint.id = model.id + "@" + provider.slug;
  endpoint.model = &model;
  endpoint.provider_slug = provider.slug;
  endpoint.provider_name = provider.name;
  endpoint.tier = tier_of(provider.slug);
  endpoint.upstream_model = from.upstream_model;
  endpoint.pico_usd_per_token = parse_price(from.price_prompt).value_or(0);
  endpoint.price_prompt = format_pico_usd(endpoint.pico_usd_per_token);
  endpoint.max_batch_items = from.max_batch_items;
  endpoint.max_batch_tokens = from.max_batch_tokens;
  endpoint.max_batch_bytes = from.max_batch_bytes;
  endpoint.space = from.space.empty() ? model.id + ":" + from.quantization : from.space;
  endpoint.quantization = from.quantization;
  endpoint.normalized = from.normalized;
  endpoint.encodings_float = from.encodings_float;
  endpoint.encodings_base64 = from.encodings_base64;
  endpoint.token_ids = from.token_ids;
  endpoint.strict_model = from.strict_model;
  endpoint.dimensions = from.dimensions;
  endpoint.input_types = from.input_types;
  endpoint.user = from.user;
  endpoint.policy = provider.policy;
  return endpoint;
}

Result<std::unique_ptr<Model>> make_model(const ModelConfig& from,
                                          const std::vector<ProviderConfig>& providers) {
  auto model = std::make_unique<Model>();
  model->id = from.id;
  model->name = from.name;
  model->description = from.description;
  model->tokenizer = from.tokenizer;
  model->aliases = from.aliases;
  model->dimensions = from.dimensions;
  model->matryoshka = from.matryoshka;
  model->context_length = from.context_length;
  model->created = from.created;
  model->symmetric = from.symmetric;
  model->distillable = from.distillable;
  for (const EndpointConfig& endpoint : from.endpoints) {
    const auto provider = std::ranges::find(providers, endpoint.provider, &ProviderConfig::slug);
    if (provider == providers.end()) {
      return fail(ErrorCode::invalid_request,
                  "model " + from.id + ": an endpoint names a provider that is not configured");
    }
    model->endpoints.push_back(make_endpoint(endpoint, *model, *provider));
  }
  model->normalized = std::ranges::all_of(model->endpoints, &Endpoint::normalized);
  return model;
}

std::unique_ptr<Model> make_embedded(std::string id, std::vector<std::uint32_t> matryoshka,
                                     const EmbeddedFacts& facts) {
  auto model = std::make_unique<Model>();
  model->id = model->name = std::move(id);
  model->description = "Computed inside the router.";
  model->matryoshka = std::move(matryoshka);
  model->dimensions = facts.width;
  model->context_length = facts.max_tokens;
  model->created = facts.created;
  model->symmetric = facts.symmetric;
  model->normalized = facts.normalized;

  Endpoint endpoint;
  endpoint.id = model->id + "@" + std::string(kEmbeddedProvider);
  endpoint.model = model.get();
  endpoint.provider_slug = kEmbeddedProvider;
  endpoint.provider_name = "Local";
  endpoint.upstream_model = model->id;
  endpoint.price_prompt = "0";
  endpoint.space = facts.space;
  endpoint.quantization = facts.precision;
  endpoint.policy = {.zdr = true, .training = false};
  endpoint.embedded = true;
  endpoint.normalized = facts.normalized;
  endpoint.dimensions = !model->matryoshka.empty();
  if (!facts.symmetric) endpoint.input_types = facts.input_types;
  model->endpoints.push_back(std::move(endpoint));
  return model;
}

// What is known of the default model beside its files.
void describe_default(Model& model) {
  model.name = "all-MiniLM-L6-v2";
  model.description =
      "Sentence embeddings for search and clustering of short English texts, computed inside the router.";
  model.tokenizer = "BERT";
  model.created = kEmbeddedCreated;
}

// The one of [embedded] model_dir.
Result<std::unique_ptr<Model>> make_standing(const Config::Embedded& section, const EmbeddedFacts& facts) {
  if (!section.matryoshka.empty() && section.matryoshka.back() >= facts.width) {
    return fail(ErrorCode::invalid_request,
                "[embedded] matryoshka: expected widths less than the model's, which is " +
                    std::to_string(facts.width));
  }
  auto model = make_embedded(std::string(embedded_id(section)), section.matryoshka, facts);
  if (section.id.empty()) describe_default(*model);
  model->aliases = {std::string(kEmbeddedAlias)};
  return model;
}

constexpr std::array<std::pair<std::string_view, Tier>, 2> kTiers{
    {{"priority", Tier::priority}, {"flex", Tier::flex}}};

}  // namespace

std::string_view embedded_id(const Config::Embedded& section) noexcept {
  return section.id.empty() ? kEmbeddedModelId : std::string_view(section.id);
}

Tier tier_of(std::string_view provider_slug) noexcept {
  const std::size_t slash = provider_slug.find('/');
  if (slash == std::string_view::npos) return Tier::standard;
  const auto* const found =
      std::ranges::find(kTiers, provider_slug.substr(slash + 1), &decltype(kTiers)::value_type::first);
  return found == kTiers.end() ? Tier::standard : found->second;
}

std::string_view name_of(Tier tier) noexcept {
  const auto* const found = std::ranges::find(kTiers, tier, &decltype(kTiers)::value_type::second);
  return found == kTiers.end() ? std::string_view() : found->first;
}

bool names(std::string_view name, const Endpoint& endpoint) noexcept {
  const std::string_view slug = endpoint.provider_slug;
  if (same_ignoring_case(name, slug) || same_ignoring_case(name, endpoint.provider_name)) return true;
  return endpoint.tier == Tier::standard && same_ignoring_case(name, slug.substr(0, slug.find('/')));
}

Result<void> Catalog::add(std::unique_ptr<Model> model) {
  const auto claim = [&](const std::string& name) {
    return by_name_.emplace(lower_case(name), model.get()).second;
  };
  bool fresh = claim(model->id);
  for (const std::string& alias : model->aliases) fresh = claim(alias) && fresh;
  if (!fresh) {
    return fail(ErrorCode::invalid_request,
                "model " + model->id + ": its id or an alias is another model's; rename one");
  }
  // Behind its equals, so that the order is stable.
  listed_.insert(std::ranges::upper_bound(listed_, model->created, std::ranges::greater(), &Model::created),
                 model.get());
  models_.push_back(std::move(model));
  return {};
}

Result<std::shared_ptr<const Catalog>> Catalog::build(const Config& config, const EmbeddedFacts* embedded,
                                                      std::span<const EmbeddedFacts> further) {
  auto catalog = std::make_shared<Catalog>();
  catalog->providers_ = config.providers;
  if (embedded != nullptr) {
    auto model = make_standing(config.embedded, *embedded);
    if (!model) return fail(std::move(model).error());
    if (auto added = catalog->add(std::move(*model)); !added) return fail(std::move(added).error());
  }
  for (const EmbeddedFacts& facts : further) {
    auto model = make_embedded(facts.id, {}, facts);
    if (auto added = catalog->add(std::move(model)); !added) return fail(std::move(added).error());
  }
  for (const ModelConfig& from : config.models) {
    auto model = make_model(from, config.providers);
    if (!model) return fail(std::move(model).error());
    if (auto added = catalog->add(std::move(*model)); !added) return fail(std::move(added).error());
  }
  return std::shared_ptr<const Catalog>(std::move(catalog));
}

const Model* Catalog::find(std::string_view name) const {
  std::array<char, 256> lower;  // longer than any name a catalog holds
  if (name.size() > lower.size()) return nullptr;
  std::ranges::transform(name, lower.begin(), to_lower);
  const auto found = by_name_.find(std::string_view(lower.data(), name.size()));
  return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace embedrouter::catalog
