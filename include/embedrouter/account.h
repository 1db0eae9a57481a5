#pragma once
// Keys, credits, usage and provider credentials: the members of OpenRouter's API
// (https://openrouter.ai/docs/api-reference). Money is USD, times are ISO 8601 texts. Optional members are
// absent or null in the answer.

#include <embedrouter/json_value.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// A key without its text; `hash` names it, `label` shows its ends. Usage is USD: in all, and of this UTC day,
// week and month; `limit` is as `limit_reset` says, null: none.
struct ApiKey {
  std::string hash, label, name, workspace_id, created_at;
  bool disabled = false;
  bool include_byok_in_limit = false;
  std::optional<double> limit, limit_remaining;
  std::optional<std::string> limit_reset, updated_at, expires_at, last_used_at, creator_user_id,
      external_user;
  double usage = 0, usage_daily = 0, usage_weekly = 0, usage_monthly = 0;
  double byok_usage = 0, byok_usage_daily = 0, byok_usage_weekly = 0, byok_usage_monthly = 0;
};

// The key itself is told here and nowhere else.
struct CreatedApiKey {
  ApiKey data;
  std::string key;
};

// How often a key may ask; no longer in use by the server.
struct RateLimit {
  std::int64_t requests = 0;
  std::string interval, note;
};
// Requests of a day to models that cost nothing.
struct FreeModelDailyRequests {
  std::int64_t limit = 0, used = 0, remaining = 0;
};
// A ceiling that counts for the key; `scope` says whose it is: "key_limit", "member", "workspace", …
struct KeyBudget {
  std::string scope;
  double limit_usd = 0, spend_usd = 0, remaining_usd = 0;
  bool include_byok = false;
  std::optional<std::string> reset_interval, resets_at, budget_id, guardrail_id;
};

// The key the call was made with.
struct CurrentApiKey {
  std::string label;
  bool include_byok_in_limit = false;
  bool is_free_tier = false;
  bool is_management_key = false;
  bool is_provisioning_key = false;  // the old name of is_management_key
  std::optional<double> limit, limit_remaining;
  std::optional<std::string> limit_reset, expires_at, creator_user_id, organization_id, workspace_id;
  double usage = 0, usage_daily = 0, usage_weekly = 0, usage_monthly = 0;
  double byok_usage = 0, byok_usage_daily = 0, byok_usage_weekly = 0, byok_usage_monthly = 0;
  std::vector<std::string> allowed_data_regions;
  RateLimit rate_limit;
  std::vector<KeyBudget> budgets;
  std::optional<KeyBudget> effective_budget;
  FreeModelDailyRequests free_model_daily_requests;
};

// Which part of the list of keys. Unset members are not sent.
struct ApiKeysQuery {
  std::optional<std::int64_t> offset{};
  std::optional<bool> include_disabled{}, include_expired{};  // both are left out by default
  std::optional<std::string> workspace_id{};
};

// `name` must not be empty. Unset members are not sent; `limit` is USD.
struct CreateApiKeyRequest {
  std::string name;
  Nullable<double> limit{};
  Nullable<std::string> limit_reset{};  // "daily", "weekly", "monthly"
  Nullable<std::string> expires_at{};   // ISO 8601, UTC
  std::optional<bool> include_byok_in_limit{};
  Nullable<std::string> creator_user_id{};
  std::optional<std::string> workspace_id{};
  // Whom of your own users the key is for.
  struct External {
    std::string user;
    std::optional<std::string> api_key{};
  };
  std::optional<External> external{};
};

// What is not set stays as it is; null clears.
struct UpdateApiKeyRequest {
  std::optional<std::string> name{};
  std::optional<bool> disabled{};
  Nullable<double> limit{};
  Nullable<std::string> limit_reset{};
  std::optional<bool> include_byok_in_limit{};
  std::optional<std::string> workspace_id{};
};

// USD: bought, and used of it.
struct Credits {
  double total_credits = 0, total_usage = 0;
};

// One attempt at a provider.
struct ProviderResponse {
  std::optional<std::int64_t> status;
  std::optional<std::string> provider_name, endpoint_id, id, model_permaslug;
  std::optional<std::string> routed_service_tier;  // asked for; what was billed may be another
  std::optional<bool> is_byok;
  std::optional<double> latency;  // milliseconds
};

// One request and what it took. Durations are milliseconds, costs USD; `native_tokens` are counted by the
// provider's tokenizer, one attempt is one of `provider_responses`.
struct Generation {
  std::string id, model, created_at, origin, data_region;
  bool is_byok = false;
  double total_cost = 0, usage = 0;
  std::optional<std::string> api_type, external_user, finish_reason, http_referer, native_finish_reason,
      preset_id, provider_name, router, service_tier, upstream_id, user_agent, web_search_engine,
      workspace_id, request_id, response_cache_source_id, session_id;
  std::optional<std::int64_t> app_id, native_tokens_cached, native_tokens_completion,
      native_tokens_completion_images, native_tokens_prompt, native_tokens_reasoning, num_fetches,
      num_input_audio_prompt, num_media_completion, num_media_prompt, num_search_results, tokens_completion,
      tokens_prompt;
  std::optional<double> cache_discount, generation_time, latency, moderation_latency, upstream_inference_cost;
  std::optional<bool> cancelled, streamed;
  std::optional<std::vector<ProviderResponse>> provider_responses;
};

// Unset members are not sent.
struct ActivityQuery {
  std::optional<std::string> date{};  // YYYY-MM-DD, one of the last 30 days
  std::optional<std::string> api_key_hash{}, user_id{};
  std::optional<std::string> group_by{};  // "workspace"
  std::optional<std::string> workspace_id{};
};

// A day at an endpoint: USD, requests, tokens. `workspace_id` only where grouped by it.
struct ActivityItem {
  std::string date, model, model_permaslug, endpoint_id, provider_name;
  double usage = 0, byok_usage_inference = 0;
  std::int64_t requests = 0, prompt_tokens = 0, completion_tokens = 0, reasoning_tokens = 0,
               cached_tokens = 0;
  std::optional<std::string> workspace_id;
};

// A provider's key of yours. The key itself is never told.
struct ByokKey {
  std::string id, provider, label, created_at;
  bool disabled = false, is_fallback = false, is_byok_only = false, is_required = false;
  std::int64_t sort_order = 0;
  std::optional<std::string> workspace_id, declared_region, name;
  std::optional<bool> declared_zdr;
  std::optional<std::vector<std::string>> allowed_models, allowed_api_key_hashes, allowed_user_ids;
};

// Which part of the list. The official SDKs send offset and limit unless they are reset.
struct ByokQuery {
  std::optional<std::int64_t> offset = 0;
  std::optional<std::int64_t> limit = 50;  // 1 to 100
  std::optional<std::string> workspace_id{}, provider{};
};

// A part of the list; `total_count`: before paging.
struct ByokPage {
  std::vector<ByokKey> keys;
  std::int64_t total_count = 0;
};

// A provider's slug and your key for it. Unset members are not sent. `allowed_…` restrict who may use it:
// null or unset, nobody is kept out; hashes are those of ApiKey, 1 to 100.
struct CreateByokKeyRequest {
  std::string provider, key;
  Nullable<std::string> name{};
  std::optional<std::string> workspace_id{};
  std::optional<bool> disabled{}, is_fallback{}, is_byok_only{}, is_required{};
  Nullable<std::string> declared_region{};
  Nullable<bool> declared_zdr{};
  Nullable<std::vector<std::string>> allowed_models{}, allowed_api_key_hashes{}, allowed_user_ids{};
};

// What is not set stays as it is; null clears. `key` replaces the provider's key.
struct UpdateByokKeyRequest {
  std::optional<std::string> key{};
  Nullable<std::string> name{};
  std::optional<bool> disabled{}, is_fallback{}, is_byok_only{}, is_required{};
  Nullable<std::string> declared_region{};
  Nullable<bool> declared_zdr{};
  Nullable<std::vector<std::string>> allowed_models{}, allowed_api_key_hashes{}, allowed_user_ids{};
};

}  // namespace embedrouter::sdk::inline v0
