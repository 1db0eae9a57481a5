#include "catalog/read_models.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "catalog/catalog.h"
#include "catalog/values.h"

namespace embedrouter::catalog {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kNameBytes = 200;
constexpr std::size_t kDescriptionBytes = 4'000;
constexpr std::size_t kMostKeys = 64;
constexpr std::uint32_t kMaxWidth = 65'536;
constexpr milliseconds kLongestWait = std::chrono::hours(1);
// 1e-12 USD. A thousand dollars for a million tokens: what is dearer was meant per million.
constexpr std::int64_t kDearest = 1'000'000'000;

constexpr std::array<std::string_view, 12> kQuantizations{
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"};

// Names that must be unique ignoring case, and the line each was taken on.
class Claims {
 public:
  // The line that has `name`, or nullopt, and then it is taken.
  std::optional<std::uint32_t> claim(std::string_view name, std::uint32_t line) {
    const auto [at, fresh] = lines_.emplace(lower_case(name), line);
    if (fresh) return std::nullopt;
    return at->second;
  }

 private:
  std::map<std::string, std::uint32_t> lines_;
};

void display_text(Section& section, std::string_view key, std::string& out, std::size_t limit) {
  auto text = section.text(key);
  if (!text) return;
  if (is_display_text(*text, limit)) {
    out = std::move(*text);
  } else {
    section.fault(key,
                  "expected 1 to " + std::to_string(limit) + " bytes of text without control characters");
  }
}

std::optional<std::string> checked_path(Section& section, std::string_view key, std::uint32_t line,
                                        const std::string& text, const ConfigEnvironment& environment) {
  const auto path = expand_home(text, environment.home);
  if (!path) {
    section.fault_at(line, key, "HOME is not set, so ~ has no meaning; write the whole path");
  } else if (!is_display_text(text, 4'096)) {
    section.fault_at(line, key, "expected a path");
  } else {
    return path->string();
  }
  return std::nullopt;
}

void file_path(Section& section, std::string_view key, const ConfigEnvironment& environment,
               std::string& out) {
  const auto text = section.text(key);
  if (!text) return;
  if (auto path = checked_path(section, key, section.line_of(key), *text, environment))
    out = *std::move(path);
}

void check_key_sources(Section& section, std::string_view key, const std::vector<std::string>& sources) {
  if (sources.size() > kMostKeys)
    section.fault(key, "has more than " + std::to_string(kMostKeys) + " entries; leave some out");
  std::set<std::string_view> seen;
  for (const std::string& source : sources) {
    if (!seen.insert(source).second) {
      section.fault(key, "has an entry twice; leave one out");
      return;
    }
  }
}

void read_provider_key(Section& section, const ConfigEnvironment& environment, ProviderConfig& provider) {
  provider.line = section.line();
  provider.key_line = section.line_of(section.has("api_key_env") ? "api_key_env" : "api_key_file");
  for (const std::string_view literal : {"api_key", "key", "token"}) {
    section.forbid(
        literal,
        "a key does not belong in this file; put it into an environment variable and name that with "
        "api_key_env, or into a file and name that with api_key_file");
  }
  for (auto& name : section.one_or_more("api_key_env")) {
    if (!is_environment_name(name.value)) {
      section.fault_at(
          name.line, "api_key_env",
          "expected the name of an environment variable, such as \"OPENAI_API_KEY\", not the key");
    }
    provider.api_key_envs.push_back(std::move(name.value));
  }
  for (auto& file : section.one_or_more("api_key_file")) {
    if (auto path = checked_path(section, "api_key_file", file.line, file.value, environment))
      provider.api_key_files.push_back(*std::move(path));
  }
  check_key_sources(section, "api_key_env", provider.api_key_envs);
  check_key_sources(section, "api_key_file", provider.api_key_files);
  if (section.has("api_key_env") && section.has("api_key_file")) {
    section.fault("api_key_file", "stands beside api_key_env; keep one of them");
  }
}

void read_provider_slug(Section& section, Claims& slugs, ProviderConfig& provider) {
  const auto slug = section.text("slug");
  if (!slug) {
    if (!section.has("slug")) section.fault("slug", "is missing; add one, such as slug = \"openai\"");
    return;
  }
  if (!is_provider_slug(*slug)) {
    section.fault("slug", "expected lower-case letters, digits and inner \"-._\", such as \"openai\"");
    return;
  }
  provider.slug = *slug;
  provider.name = *slug;
  section.rename("[[provider]] " + *slug);
  if (*slug == kEmbeddedProvider) {
    section.fault("slug", "is the embedded model's; choose another");
  } else if (const auto line = slugs.claim(*slug, section.line_of("slug"))) {
    section.fault("slug", "is already the provider on line " + std::to_string(*line) + "; choose another");
  }
}

void read_dialect(Section& section, const ConfigEnvironment& environment, ProviderConfig& provider) {
  std::vector<std::string_view> names;
  names.reserve(environment.dialects.size());
  for (const DialectFacts& dialect : environment.dialects) names.push_back(dialect.name);
  const auto dialect = names.empty() ? section.text("dialect") : section.choice("dialect", names);
  if (dialect) provider.dialect = *dialect;
}

// A page about the provider, for people.
void read_page(Section& section, std::string_view key, std::string& url) {
  const auto text = section.text(key);
  if (!text) return;
  if (!text->starts_with("https://") && !text->starts_with("http://")) {
    section.fault(key, "expected the address of a page, such as \"https://example.com/privacy\"");
  }
  url = *text;
}

void read_transport(Section& section, const ConfigEnvironment& environment, ProviderConfig& provider) {
  file_path(section, "ca_file", environment, provider.ca_file);
  file_path(section, "client_cert_file", environment, provider.client_cert_file);
  file_path(section, "client_key_file", environment, provider.client_key_file);
  if (section.has("client_cert_file") != section.has("client_key_file")) {
    const bool has_cert = section.has("client_cert_file");
    section.fault(has_cert ? "client_key_file" : "client_cert_file",
                  std::string("is missing: a client certificate needs both files; add it or remove ") +
                      (has_cert ? "client_cert_file" : "client_key_file"));
  }
  provider.proxy = section.text("proxy");
  if (provider.proxy && !provider.proxy->empty() && !is_proxy_url(*provider.proxy)) {
    section.fault("proxy",
                  "expected \"http://host:port\", or \"\" for none; a proxy that wants a password is set by "
                  "the environment variable HTTPS_PROXY");
  }
  section.flag("http2", provider.http2);
  section.flag("compression", provider.compression);
}

ProviderConfig read_provider(Section& section, const ConfigEnvironment& environment, Claims& slugs) {
  ProviderConfig provider;
  read_provider_slug(section, slugs, provider);
  display_text(section, "name", provider.name, kNameBytes);
  read_dialect(section, environment, provider);

  if (const auto url = section.text("base_url")) {
    provider.base_url = url->substr(0, url->find_last_not_of('/') + 1);
    if (!is_base_url(provider.base_url)) {
      section.fault(
          "base_url",
          "expected http:// or https://, a host and perhaps a path, without user, query or fragment, "
          "such as \"https://api.openai.com/v1\"");
    }
  } else if (!section.has("base_url")) {
    section.fault("base_url", "is missing; add one, such as base_url = \"https://api.openai.com/v1\"");
  }
  read_provider_key(section, environment, provider);
  read_transport(section, environment, provider);

  Section policy = section.table("policy", section.where() + " policy");
  policy.flag("zdr", provider.policy.zdr);
  policy.flag("training", provider.policy.training);
  policy.finish();

  read_page(section, "privacy_policy_url", provider.privacy_policy_url);
  read_page(section, "terms_of_service_url", provider.terms_of_service_url);
  read_page(section, "status_page_url", provider.status_page_url);

  section.duration("connect_timeout", provider.connect_timeout, milliseconds(1), kLongestWait);
  section.duration("first_byte_timeout", provider.first_byte_timeout, milliseconds(1), kLongestWait);
  section.duration("idle_timeout", provider.idle_timeout, milliseconds(1), kLongestWait);
  section.integer("max_concurrency", provider.max_concurrency, 1, 65'536);
  section.flag("policy_fallback", provider.policy_fallback);
  section.finish();
  return provider;
}

void read_price(Section& section, EndpointConfig& endpoint) {
  Section pricing = section.table("pricing", section.where() + " pricing");
  if (auto price = pricing.text("prompt")) {
    const auto pico = parse_price(*price);
    if (!pico) {
      pricing.fault(
          "prompt",
          "expected USD per token as a decimal with at most twelve decimals, such as \"0.00000002\"");
    } else if (*pico > kDearest) {
      pricing.fault(
          "prompt",
          "is above 0.001 USD per token; is it the price of a million tokens? Divide it by 1000000");
    } else {
      endpoint.price_prompt = std::move(*price);
    }
  }
  pricing.finish();
}

// Of the provider's dialect; everything where it is not known.
DialectFacts facts_of(const ProviderConfig& provider, const ConfigEnvironment& environment) {
  const auto found = std::ranges::find(environment.dialects, provider.dialect, &DialectFacts::name);
  return found == environment.dialects.end() ? DialectFacts{} : *found;
}

// What the endpoint declares and its dialect cannot carry.
void check_capabilities(Section& section, const EndpointConfig& endpoint, const DialectFacts& dialect) {
  const auto no_place = [&](std::string_view key, std::string_view what) {
    section.fault(key, "the dialect \"" + std::string(dialect.name) + "\" has no place for " +
                           std::string(what) + "; leave it out");
  };
  if (endpoint.encodings_base64 && !dialect.base64) no_place("encodings", "base64");
  if (endpoint.token_ids && !dialect.token_ids) no_place("token_ids", "token ids");
  if (endpoint.dimensions && !dialect.dimensions) no_place("dimensions", "a width");
  if (!endpoint.input_types.empty() && !dialect.input_types) no_place("input_types", "a kind of input");
}

void read_encodings(Section& section, EndpointConfig& endpoint) {
  if (!section.has("encodings")) return;
  const auto encodings = section.texts("encodings");
  endpoint.encodings_float = endpoint.encodings_base64 = false;
  bool known = true;
  for (const auto& encoding : encodings) {
    if (encoding.value == "float") {
      endpoint.encodings_float = true;
    } else if (encoding.value == "base64") {
      endpoint.encodings_base64 = true;
    } else {
      known = false;
    }
  }
  if (!known || encodings.empty())
    section.fault("encodings", "expected [\"float\"], [\"base64\"] or [\"float\", \"base64\"]");
}

void read_space(Section& section, EndpointConfig& endpoint) {
  if (auto quantization = section.choice("quantization", {kQuantizations.begin(), kQuantizations.end()})) {
    endpoint.quantization = std::move(*quantization);
  }
  if (auto space = section.text("space")) {
    if (is_header_token(*space)) {
      endpoint.space = std::move(*space);
    } else {
      section.fault("space",
                    "expected 1 to 200 visible ASCII characters without quotes, commas and backslashes");
    }
  }
  section.flag("normalized", endpoint.normalized);
}

void read_input_types(Section& section, EndpointConfig& endpoint) {
  for (auto& type : section.texts("input_types")) {
    if (is_display_text(type.value, 64)) {
      endpoint.input_types.push_back(std::move(type.value));
    } else {
      section.fault_at(type.line, "input_types", "expected kinds of 1 to 64 bytes, such as \"search_query\"");
    }
  }
}

EndpointConfig read_endpoint(Section& section, const ModelConfig& model,
                             const std::vector<ProviderConfig>& providers,
                             const ConfigEnvironment& environment) {
  EndpointConfig endpoint;
  DialectFacts dialect;
  const auto slug = section.text("provider");
  if (slug == kEmbeddedProvider) {
    section.fault("provider",
                  "\"local\" is the embedded model, which needs no endpoint here; name another provider");
  } else if (slug && std::ranges::find(providers, *slug, &ProviderConfig::slug) == providers.end()) {
    std::vector<std::string_view> slugs;
    slugs.reserve(providers.size());
    for (const ProviderConfig& provider : providers) slugs.emplace_back(provider.slug);
    const std::string_view meant = nearest(*slug, slugs);
    section.fault("provider", "is no slug of a [[provider]] in this file; " +
                                  (meant.empty() ? std::string("add one")
                                                 : "did you mean \"" + std::string(meant) + "\"?"));
  } else if (slug) {
    endpoint.provider = *slug;
    dialect = facts_of(*std::ranges::find(providers, *slug, &ProviderConfig::slug), environment);
    section.rename(section.where() + " " + *slug);
  } else if (!section.has("provider")) {
    section.fault("provider", "is missing; name a [[provider]] by its slug");
  }
  endpoint.upstream_model = model.id;
  display_text(section, "upstream_model", endpoint.upstream_model, kNameBytes);
  read_price(section, endpoint);
  endpoint.max_batch_items = dialect.max_batch_items;
  section.integer("max_batch_items", endpoint.max_batch_items, 1, 100'000);
  section.integer("max_batch_tokens", endpoint.max_batch_tokens, 0, 1'000'000'000);
  section.integer("max_batch_bytes", endpoint.max_batch_bytes, 4'096, 1'000'000'000);
  read_space(section, endpoint);
  endpoint.encodings_base64 = dialect.base64;
  read_encodings(section, endpoint);
  section.flag("token_ids", endpoint.token_ids);
  section.flag("strict_model", endpoint.strict_model);
  endpoint.dimensions = dialect.dimensions && !model.matryoshka.empty();
  section.flag("dimensions", endpoint.dimensions);
  read_input_types(section, endpoint);
  endpoint.user = dialect.user;
  check_capabilities(section, endpoint, dialect);
  section.finish();
  return endpoint;
}

// Reports a name that is taken, by whom, and what to do. `embedded`: the embedded model's id.
void claim_name(Section& section, std::string_view key, std::uint32_t at, std::string_view name,
                std::string_view embedded, Claims& names) {
  const std::string lower = lower_case(name);
  if (!embedded.empty() && (lower == lower_case(embedded) || lower == lower_case(kEmbeddedAlias))) {
    section.fault_at(at, key,
                     "belongs to the embedded model; choose another, or set enabled = false in [embedded]");
  } else if (const auto line = names.claim(name, at)) {
    section.fault_at(at, key,
                     "is already the id or alias of a model on line " + std::to_string(*line) +
                         " (letter case does not tell names apart); choose another");
  }
}

void read_names(Section& section, std::string_view embedded, Claims& names, ModelConfig& model) {
  const auto id = section.text("id");
  if (id && is_model_id(*id)) {
    model.id = model.name = *id;
    section.rename("[[model]] " + *id);
    claim_name(section, "id", section.line_of("id"), *id, embedded, names);
  } else if (id) {
    section.fault("id",
                  "expected \"author/slug\" of letters, digits and \"._~-\", with \":free\" behind it for a "
                  "free variant (':' and "
                  "'@' begin suffixes and presets otherwise)");
  } else if (!section.has("id")) {
    section.fault("id", "is missing; add one, such as id = \"openai/text-embedding-3-small\"");
  }
  for (auto& alias : section.texts("aliases")) {
    if (!is_alias(alias.value)) {
      section.fault_at(alias.line, "aliases",
                       "expected names of letters, digits and \"._~-\", with at most one '/'");
      continue;
    }
    claim_name(section, "aliases", alias.line, alias.value, embedded, names);
    model.aliases.push_back(std::move(alias.value));
  }
  display_text(section, "name", model.name, kNameBytes);
  display_text(section, "description", model.description, kDescriptionBytes);
  display_text(section, "tokenizer", model.tokenizer, kNameBytes);
}

void read_widths(Section& section, ModelConfig& model) {
  section.integer("dimensions", model.dimensions, 1, kMaxWidth);
  if (!section.has("dimensions")) section.fault("dimensions", "is missing: the width of the vectors; add it");
  for (const auto& width : section.integers("matryoshka", 1, kMaxWidth)) {
    const auto value = static_cast<std::uint32_t>(width.value);
    if (!model.matryoshka.empty() && value <= model.matryoshka.back()) {
      section.fault_at(width.line, "matryoshka", "expected ascending widths, each once");
    } else if (model.dimensions != 0 && value >= model.dimensions) {
      section.fault_at(width.line, "matryoshka",
                       "expected widths less than dimensions, which need not be repeated");
    }
    model.matryoshka.push_back(value);
  }
}

ModelConfig read_model(Section& section, const Config& config, const ConfigEnvironment& environment,
                       Claims& names) {
  ModelConfig model;
  read_names(section, config.embedded.enabled ? embedded_id(config.embedded) : "", names, model);
  read_widths(section, model);
  section.integer("context_length", model.context_length, 0, 100'000'000);
  section.integer("created", model.created, 0, 253'402'300'799);  // to the end of the year 9999
  section.flag("symmetric", model.symmetric);
  section.flag("distillable", model.distillable);

  Claims served;
  for (Section& table : section.tables("endpoint", "[[model.endpoint]]")) {
    if (!model.id.empty()) table.rename("[[model.endpoint]] of " + model.id + ":");
    const std::uint32_t line = table.line_of("provider");
    EndpointConfig endpoint = read_endpoint(table, model, config.providers, environment);
    if (!endpoint.provider.empty()) {
      if (const auto first = served.claim(endpoint.provider, line)) {
        table.fault("provider", "already has an endpoint of this model on line " + std::to_string(*first) +
                                    "; give the second way in a [[provider]] of its own");
      }
    }
    model.endpoints.push_back(std::move(endpoint));
  }
  if (model.endpoints.empty())
    section.fault("endpoint", "is missing: nothing serves the model; add a [[model.endpoint]]");
  section.finish();
  return model;
}

// Requests may name a provider by slug or by display name, so both are one set of names.
void check_display_names(const std::vector<Section>& sections, const std::vector<ProviderConfig>& providers,
                         Faults& faults) {
  std::map<std::string, std::size_t> owners;
  for (std::size_t i = 0; i < providers.size(); ++i) owners.emplace(providers[i].slug, i);
  for (std::size_t i = 0; i < providers.size(); ++i) {
    if (providers[i].slug.empty()) continue;
    const std::string name = lower_case(providers[i].name);
    const bool taken = owners.emplace(name, i).first->second != i && name != providers[i].slug;
    if (taken || (name == kEmbeddedProvider && providers[i].slug != name)) {
      faults.push_back(
          {sections[i].line_of("name"),
           sections[i].where() + " name: another provider has this slug or name; choose another"});
    }
  }
}

}  // namespace

void read_providers(Section& root, const ConfigEnvironment& environment, Config& config, Faults& faults) {
  Claims slugs;
  std::vector<Section> sections = root.tables("provider", "[[provider]]");
  for (Section& section : sections) config.providers.push_back(read_provider(section, environment, slugs));
  check_display_names(sections, config.providers, faults);
}

void read_models(Section& root, const ConfigEnvironment& environment, Config& config) {
  Claims names;
  for (Section& section : root.tables("model", "[[model]]"))
    config.models.push_back(read_model(section, config, environment, names));
}

}  // namespace embedrouter::catalog
