#pragma once
// Models, endpoints and prices: an immutable snapshot built from the configuration and what the embedded
// model says of itself. Shared by all threads.

#include <embedrouter/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/config.h"

namespace embedrouter::catalog {

struct Model;

// What stands behind the slash of a provider's slug: a service tier ("openai/priority", "openai/flex"), or
// else a region or variant, which is served like the rest.
enum class Tier : std::uint8_t { standard, priority, flex };
Tier tier_of(std::string_view provider_slug) noexcept;
std::string_view name_of(Tier tier) noexcept;  // empty: standard

// Provider × model × price × limits × policy: the unit of routing.
struct Endpoint {
  std::string id;  // "<model id>@<provider slug>", unique in the catalog
  const Model* model = nullptr;
  std::string provider_slug;  // "openai"; "local" for the embedded model
  std::string provider_name;  // "OpenAI"
  Tier tier = Tier::standard;
  std::string upstream_model;
  std::string price_prompt;             // USD per token, the shortest decimal, for listings
  std::int64_t pico_usd_per_token = 0;  // the same as an integer, 1e-12 USD
  std::uint32_t max_batch_items = 0, max_batch_tokens = 0, max_batch_bytes = 0;  // 0: no declared limit
  std::string space;
  std::string quantization;
  bool normalized = true;
  bool encodings_float = true, encodings_base64 = true, token_ids = false, dimensions = false;
  bool user = false;          // its dialect has a place for `user`
  bool strict_model = false;  // an answer that names another model is a fault
  std::vector<std::string> input_types;
  ProviderPolicy policy;
  bool embedded = false;  // the model inside this process
};

struct Model {
  std::string id, name, description, tokenizer;
  std::vector<std::string> aliases;
  std::uint32_t dimensions = 0;
  std::vector<std::uint32_t> matryoshka;
  std::uint32_t context_length = 0;
  std::int64_t created = 0;
  bool symmetric = false;
  bool distillable = false;
  bool normalized = true;
  std::vector<Endpoint> endpoints;  // in the order of the configuration
};

// True if `name`, as requests write it, means this endpoint: its provider's display name or whole slug, or a
// base slug ("google-vertex") for its regions, but not for a service tier. Ignores case.
bool names(std::string_view name, const Endpoint& endpoint) noexcept;

inline constexpr std::string_view kEmbeddedModelId = "sentence-transformers/all-minilm-l6-v2";
// What an embedded model contributes.
struct EmbeddedFacts {
  std::uint32_t width = 0, max_tokens = 0;
  std::string precision{}, space{};
  bool normalized = true;
  bool symmetric = true;                   // it knows no prompts
  std::vector<std::string> input_types{};  // that choose one, if it does
  std::string id{};          // of a further model; the one of [embedded] has that of its section
  std::int64_t created = 0;  // likewise; unix seconds
};
inline constexpr std::string_view kEmbeddedAlias = "Taurus";
// Of the model of [embedded] model_dir: what the section says, else the default one's.
std::string_view embedded_id(const Config::Embedded& section) noexcept;
inline constexpr std::string_view kEmbeddedProvider = "local";

class Catalog {
 public:
  // `embedded` null: no default model inside. `further`: other models inside, beside it. Fails only on what
  // parse_config lets through and the embedded models contradict.
  static Result<std::shared_ptr<const Catalog>> build(const Config& config, const EmbeddedFacts* embedded,
                                                      std::span<const EmbeddedFacts> further = {});

  // By id or alias, ignoring ASCII case. Null if there is none. Does not allocate.
  const Model* find(std::string_view name) const;
  // Newest first, stable; the order of GET /embeddings/models.
  const std::vector<const Model*>& listed() const noexcept { return listed_; }
  // As configured: the embedded model's provider is not among them.
  const std::vector<ProviderConfig>& providers() const noexcept { return providers_; }

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };
  Result<void> add(std::unique_ptr<Model> model);

  std::vector<std::unique_ptr<Model>> models_;
  std::vector<const Model*> listed_;
  std::unordered_map<std::string, const Model*, NameHash, std::equal_to<>> by_name_;  // lower case
  std::vector<ProviderConfig> providers_;
};

// "0.00000002" → 20'000 (1e-12 USD). nullopt unless a non-negative decimal with at most twelve decimals.
std::optional<std::int64_t> parse_price(std::string_view text);
// 160'000 → "0.00000016", the shortest decimal; for JSON numbers.
std::string format_pico_usd(std::int64_t pico);

}  // namespace embedrouter::catalog
