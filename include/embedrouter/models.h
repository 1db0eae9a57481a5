#pragma once
// Models, endpoints and providers: the members of OpenRouter's API
// (https://openrouter.ai/docs/api-reference). Optional ones are absent or null in the answer. Prices in
// answers are USD per token, as decimal strings; lengths are tokens.

#include <embedrouter/call.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// Prices that hold while all conditions of the entry do; those it does not have stay as they are. Of two
// entries that hold, the later one counts, price by price.
struct PriceOverride {
  std::optional<double> min_prompt_tokens;   // the request has more than that
  std::optional<double> utc_start, utc_end;  // from, until before: HHMM (1030 is 10:30); may go past midnight
  std::optional<std::vector<std::string>> utc_days;  // "monday", …
  std::optional<std::string> prompt, completion, audio, input_audio_cache, input_cache_read,
      input_cache_write, input_cache_write_1h;
};

// Prices where no override holds. What is charged is × (1 - discount).
struct Pricing {
  std::string prompt, completion;
  // By what their name says: a token, a request, an image, a search.
  std::optional<std::string> request, image, image_token, image_output, audio, audio_output,
      input_audio_cache, input_cache_read, input_cache_write, input_cache_write_1h, internal_reasoning,
      web_search;
  std::optional<double> discount;  // 0 to 1, of all prices
  std::optional<std::vector<PriceOverride>> overrides;
};

// What goes in and comes out: "text", "image", "embeddings", …
struct ModelArchitecture {
  std::vector<std::string> input_modalities, output_modalities;
  std::optional<std::string> modality, tokenizer, instruct_type;
};

// Of the provider that is asked first.
struct TopProvider {
  bool is_moderated = false;
  std::optional<std::int64_t> context_length, max_completion_tokens;
};

// Tokens that one request may have.
struct PerRequestLimits {
  double prompt_tokens = 0, completion_tokens = 0;
};

// What a request has that does not say otherwise.
struct DefaultParameters {
  std::optional<double> temperature, top_p, frequency_penalty, presence_penalty, repetition_penalty;
  std::optional<std::int64_t> top_k;
};

// Paths of the API.
struct ModelLinks {
  std::string details;
};

// The model that an alias stands for.
struct AliasTarget {
  std::string name, slug;
};

// Scores that others have measured.
struct ArenaScore {
  std::string arena, category;
  double elo = 0;
  double win_rate = 0;    // percent
  std::int64_t rank = 0;  // 1 is the best
};
// Of Artificial Analysis.
struct IndexScores {
  std::optional<double> intelligence_index, coding_index, agentic_index;
};
// By who measured.
struct Benchmarks {
  std::vector<ArenaScore> design_arena;
  std::optional<IndexScores> artificial_analysis;
};

// How much the model thinks before it answers.
struct Reasoning {
  bool mandatory = false;  // it cannot be switched off
  std::optional<bool> default_enabled;
  std::optional<std::string> default_effort;  // "high", …
  // From most to least; unset if any is accepted.
  std::optional<std::vector<std::optional<std::string>>> supported_efforts;
  std::optional<bool> supports_max_tokens;
};

// `id` is what requests name; `canonical_slug` never changes. Dates are YYYY-MM-DD.
struct Model {
  std::string id, canonical_slug, name;
  std::int64_t created = 0;  // unix seconds
  std::optional<std::int64_t> context_length;
  ModelArchitecture architecture;
  Pricing pricing;
  TopProvider top_provider;
  std::optional<PerRequestLimits> per_request_limits;
  std::optional<DefaultParameters> default_parameters;
  std::optional<std::vector<std::string>> supported_voices;
  std::vector<std::string> supported_parameters;
  ModelLinks links;
  std::optional<std::string> description, hugging_face_id, expiration_date, knowledge_cutoff;
  std::optional<AliasTarget> alias_target;
  std::optional<Benchmarks> benchmarks;
  std::optional<Reasoning> reasoning;
};

// Of what was measured, in the unit of the member.
struct PercentileStats {
  double p50 = 0, p75 = 0, p90 = 0, p99 = 0;
};
// Of requests of one kind in the last 30 minutes: milliseconds, tokens per second.
struct WorkloadStats {
  std::optional<PercentileStats> latency, throughput;
  std::optional<std::int64_t> request_count;
};
// By what the requests asked for.
struct StatsByWorkload {
  std::optional<WorkloadStats> embeddings, rerank, decisions, text_generation, image_generation,
      video_generation, tts, stt, unknown;
};
// A tool of the server's that the provider runs itself, and what the provider calls it.
struct NativeTool {
  std::string type;
};
// Which values of `tool_choice` work.
struct ToolChoiceSupport {
  bool automatic = false, none = false, required = false, function = false;
};

// A model at a provider. `tag` is its slug in ProviderPreferences. `status`: 0, or below it when it does not
// do well. Measured members are null where nothing was measured.
struct Endpoint {
  std::string name, model_id, model_name, provider_name, tag;
  std::int64_t context_length = 0;
  std::optional<std::int64_t> max_prompt_tokens, max_completion_tokens;
  Pricing pricing;
  std::optional<std::string> quantization, service_tier;
  std::vector<std::string> supported_parameters;
  std::optional<std::int64_t> status;
  std::optional<double> uptime_last_5m, uptime_last_30m, uptime_last_1d;  // percent
  std::optional<PercentileStats> latency_last_30m;                        // milliseconds
  std::optional<PercentileStats> throughput_last_30m;                     // tokens per second
  std::optional<StatsByWorkload> perf_last_30m_by_workload;
  bool supports_implicit_caching = false;
  bool supports_diarization = false;
  // Of speech; unset: no.
  std::optional<bool> supports_image_reference, supports_multiple_audio_references, supports_voice_cloning;
  std::map<std::string, NativeTool> native_tools;  // by the server's name
  ToolChoiceSupport supports_tool_choice;
};

// A model with all its endpoints. `created`: unix seconds.
struct ModelEndpoints {
  std::string id, name, description;
  std::int64_t created = 0;
  ModelArchitecture architecture;
  std::vector<Endpoint> endpoints;
};

// `slug` is its name in ProviderPreferences; `headquarters` and `datacenters` are country codes.
struct Provider {
  std::string name, slug;
  std::optional<std::string> privacy_policy_url, terms_of_service_url, status_page_url, headquarters;
  std::optional<std::vector<std::string>> datacenters;
};

// Which part of a list. The official SDKs send both unless they are reset.
struct PageQuery {
  std::optional<std::int64_t> offset = 0;
  std::optional<std::int64_t> limit = 500;  // 1 to 1000
};

// Filters of GET /models, as in the official SDKs. Unset ones are not sent.
struct ModelsQuery {
  PageQuery page{};
  // Lists are comma-separated, as the server takes them. `sort`: "newest", "pricing-low-to-high",
  // "context-high-to-low", "throughput-high-to-low", "latency-low-to-high", …; `q`: a part of name or slug.
  std::optional<std::string> category{}, supported_parameters{}, output_modalities{}, sort{}, q{},
      input_modalities{};
  std::optional<std::int64_t> context{};           // tokens, at least
  std::optional<double> min_price{}, max_price{};  // of the prompt: USD per million tokens
  std::optional<std::string> arch{}, model_authors{}, providers{};
  std::optional<std::string> distillable{}, zdr{}, region{};     // "true", "false"; of `region`: "eu", "us"
  std::optional<double> min_output_price{}, max_output_price{};  // USD per million tokens
  std::optional<std::int64_t> min_age_days{}, max_age_days{};    // days since the model was created

  // Indices as Artificial Analysis publishes them; success rates are fractions in [0, 1].
  std::optional<double> min_intelligence_index{}, max_intelligence_index{}, min_coding_index{},
      max_coding_index{}, min_agentic_index{}, max_agentic_index{}, min_tool_success_rate{},
      max_tool_success_rate{};
};

// As in ModelsQuery.
struct UserModelsQuery {
  PageQuery page{};
  std::optional<std::string> output_modalities{}, sort{};
};

// A part of a list of models.
class ModelsPage {
 public:
  std::vector<Model> models;
  std::int64_t total_count = 0;  // before paging

  // `next`: a path of the API; null on the last page.
  struct Links {
    std::optional<std::string> next;
  };
  Links links;

  // The call for the next page. Nothing behind a page that is empty or shorter than its limit.
  std::optional<Call<ModelsPage>> next() const;

  std::function<Call<ModelsPage>(PageQuery)> follow;  // set by the client
  PageQuery page;                                     // that this one is
};

}  // namespace embedrouter::sdk::inline v0
