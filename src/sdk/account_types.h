#pragma once
// Keys, credits, usage: which members an answer must have, as in the official Python SDK.
#include <embedrouter/account.h>

#include "sdk/json_schema.h"

namespace embedrouter::sdk {

template <>
struct Schema<ApiKey> {
  using T = ApiKey;
  static constexpr std::tuple kMembers{required<&T::hash>("hash"),
                                       required<&T::label>("label"),
                                       required<&T::name>("name"),
                                       required<&T::workspace_id>("workspace_id"),
                                       required<&T::created_at>("created_at"),
                                       required<&T::disabled>("disabled"),
                                       required<&T::include_byok_in_limit>("include_byok_in_limit"),
                                       required<&T::limit>("limit"),
                                       required<&T::limit_remaining>("limit_remaining"),
                                       required<&T::limit_reset>("limit_reset"),
                                       required<&T::updated_at>("updated_at"),
                                       optional<&T::expires_at>("expires_at"),
                                       required<&T::last_used_at>("last_used_at"),
                                       required<&T::creator_user_id>("creator_user_id"),
                                       required<&T::external_user>("external_user"),
                                       required<&T::usage>("usage"),
                                       required<&T::usage_daily>("usage_daily"),
                                       required<&T::usage_weekly>("usage_weekly"),
                                       required<&T::usage_monthly>("usage_monthly"),
                                       required<&T::byok_usage>("byok_usage"),
                                       required<&T::byok_usage_daily>("byok_usage_daily"),
                                       required<&T::byok_usage_weekly>("byok_usage_weekly"),
                                       required<&T::byok_usage_monthly>("byok_usage_monthly")};
};
template <>
struct Schema<CreatedApiKey> {
  using T = CreatedApiKey;
  static constexpr std::tuple kMembers{required<&T::data>("data"), required<&T::key>("key")};
};
template <>
struct Schema<RateLimit> {
  using T = RateLimit;
  static constexpr std::tuple kMembers{required<&T::requests>("requests"), required<&T::interval>("interval"),
                                       required<&T::note>("note")};
};
template <>
struct Schema<FreeModelDailyRequests> {
  using T = FreeModelDailyRequests;
  static constexpr std::tuple kMembers{required<&T::limit>("limit"), required<&T::used>("used"),
                                       required<&T::remaining>("remaining")};
};
template <>
struct Schema<KeyBudget> {
  using T = KeyBudget;
  static constexpr std::tuple kMembers{required<&T::scope>("scope"),
                                       required<&T::limit_usd>("limit_usd"),
                                       required<&T::spend_usd>("spend_usd"),
                                       required<&T::remaining_usd>("remaining_usd"),
                                       required<&T::include_byok>("include_byok"),
                                       required<&T::reset_interval>("reset_interval"),
                                       required<&T::resets_at>("resets_at"),
                                       required<&T::budget_id>("budget_id"),
                                       required<&T::guardrail_id>("guardrail_id")};
};
template <>
struct Schema<CurrentApiKey> {
  using T = CurrentApiKey;
  static constexpr std::tuple kMembers{required<&T::label>("label"),
                                       required<&T::include_byok_in_limit>("include_byok_in_limit"),
                                       required<&T::is_free_tier>("is_free_tier"),
                                       required<&T::is_management_key>("is_management_key"),
                                       required<&T::is_provisioning_key>("is_provisioning_key"),
                                       required<&T::limit>("limit"),
                                       required<&T::limit_remaining>("limit_remaining"),
                                       required<&T::limit_reset>("limit_reset"),
                                       optional<&T::expires_at>("expires_at"),
                                       required<&T::creator_user_id>("creator_user_id"),
                                       required<&T::organization_id>("organization_id"),
                                       required<&T::workspace_id>("workspace_id"),
                                       required<&T::usage>("usage"),
                                       required<&T::usage_daily>("usage_daily"),
                                       required<&T::usage_weekly>("usage_weekly"),
                                       required<&T::usage_monthly>("usage_monthly"),
                                       required<&T::byok_usage>("byok_usage"),
                                       required<&T::byok_usage_daily>("byok_usage_daily"),
                                       required<&T::byok_usage_weekly>("byok_usage_weekly"),
                                       required<&T::byok_usage_monthly>("byok_usage_monthly"),
                                       required<&T::allowed_data_regions>("allowed_data_regions"),
                                       required<&T::rate_limit>("rate_limit"),
                                       required<&T::budgets>("budgets"),
                                       required<&T::effective_budget>("effective_budget"),
                                       required<&T::free_model_daily_requests>("free_model_daily_requests")};
};
template <>
struct Schema<Credits> {
  using T = Credits;
  static constexpr std::tuple kMembers{required<&T::total_credits>("total_credits"),
                                       required<&T::total_usage>("total_usage")};
};
template <>
struct Schema<ProviderResponse> {
  using T = ProviderResponse;
  static constexpr std::tuple kMembers{required<&T::status>("status"),
                                       optional<&T::provider_name>("provider_name"),
                                       optional<&T::endpoint_id>("endpoint_id"),
                                       optional<&T::id>("id"),
                                       optional<&T::model_permaslug>("model_permaslug"),
                                       optional<&T::routed_service_tier>("routed_service_tier"),
                                       optional<&T::is_byok>("is_byok"),
                                       optional<&T::latency>("latency")};
};
template <>
struct Schema<Generation> {
  using T = Generation;
  static constexpr std::tuple kMembers{
      required<&T::id>("id"),
      required<&T::model>("model"),
      required<&T::created_at>("created_at"),
      required<&T::origin>("origin"),
      required<&T::data_region>("data_region"),
      required<&T::is_byok>("is_byok"),
      required<&T::total_cost>("total_cost"),
      required<&T::usage>("usage"),
      required<&T::api_type>("api_type"),
      required<&T::external_user>("external_user"),
      required<&T::finish_reason>("finish_reason"),
      required<&T::http_referer>("http_referer"),
      required<&T::native_finish_reason>("native_finish_reason"),
      required<&T::preset_id>("preset_id"),
      required<&T::provider_name>("provider_name"),
      required<&T::router>("router"),
      required<&T::service_tier>("service_tier"),
      required<&T::upstream_id>("upstream_id"),
      required<&T::user_agent>("user_agent"),
      required<&T::web_search_engine>("web_search_engine"),
      required<&T::workspace_id>("workspace_id"),
      optional<&T::request_id>("request_id"),
      optional<&T::response_cache_source_id>("response_cache_source_id"),
      optional<&T::session_id>("session_id"),
      required<&T::app_id>("app_id"),
      required<&T::native_tokens_cached>("native_tokens_cached"),
      required<&T::native_tokens_completion>("native_tokens_completion"),
      required<&T::native_tokens_completion_images>("native_tokens_completion_images"),
      required<&T::native_tokens_prompt>("native_tokens_prompt"),
      required<&T::native_tokens_reasoning>("native_tokens_reasoning"),
      required<&T::num_fetches>("num_fetches"),
      required<&T::num_input_audio_prompt>("num_input_audio_prompt"),
      required<&T::num_media_completion>("num_media_completion"),
      required<&T::num_media_prompt>("num_media_prompt"),
      required<&T::num_search_results>("num_search_results"),
      required<&T::tokens_completion>("tokens_completion"),
      required<&T::tokens_prompt>("tokens_prompt"),
      required<&T::cache_discount>("cache_discount"),
      required<&T::generation_time>("generation_time"),
      required<&T::latency>("latency"),
      required<&T::moderation_latency>("moderation_latency"),
      required<&T::upstream_inference_cost>("upstream_inference_cost"),
      required<&T::cancelled>("cancelled"),
      required<&T::streamed>("streamed"),
      required<&T::provider_responses>("provider_responses")};
};
template <>
struct Schema<ActivityItem> {
  using T = ActivityItem;
  static constexpr std::tuple kMembers{required<&T::date>("date"),
                                       required<&T::model>("model"),
                                       required<&T::model_permaslug>("model_permaslug"),
                                       required<&T::endpoint_id>("endpoint_id"),
                                       required<&T::provider_name>("provider_name"),
                                       required<&T::usage>("usage"),
                                       required<&T::byok_usage_inference>("byok_usage_inference"),
                                       required<&T::requests>("requests"),
                                       required<&T::prompt_tokens>("prompt_tokens"),
                                       required<&T::completion_tokens>("completion_tokens"),
                                       required<&T::reasoning_tokens>("reasoning_tokens"),
                                       required<&T::cached_tokens>("cached_tokens"),
                                       optional<&T::workspace_id>("workspace_id")};
};
template <>
struct Schema<ByokKey> {
  using T = ByokKey;
  static constexpr std::tuple kMembers{required<&T::id>("id"),
                                       required<&T::provider>("provider"),
                                       required<&T::label>("label"),
                                       required<&T::created_at>("created_at"),
                                       required<&T::disabled>("disabled"),
                                       required<&T::is_fallback>("is_fallback"),
                                       required<&T::is_byok_only>("is_byok_only"),
                                       required<&T::is_required>("is_required"),
                                       required<&T::sort_order>("sort_order"),
                                       required<&T::workspace_id>("workspace_id"),
                                       required<&T::declared_region>("declared_region"),
                                       optional<&T::name>("name"),
                                       required<&T::declared_zdr>("declared_zdr"),
                                       required<&T::allowed_models>("allowed_models"),
                                       required<&T::allowed_api_key_hashes>("allowed_api_key_hashes"),
                                       required<&T::allowed_user_ids>("allowed_user_ids")};
};
template <>
struct Schema<ByokPage> {
  using T = ByokPage;
  static constexpr std::tuple kMembers{required<&T::keys>("data"), required<&T::total_count>("total_count")};
};

// {"deleted": true}
struct Deleted {
  bool deleted = false;
};
template <>
struct Schema<Deleted> {
  static constexpr std::tuple kMembers{required<&Deleted::deleted>("deleted")};
};

}  // namespace embedrouter::sdk
