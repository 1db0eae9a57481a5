#pragma once
#include <embedrouter/models.h>

#include <algorithm>

#include "sdk/json_schema.h"

namespace embedrouter::sdk {

bool read(JsonReader& in, Pricing& out);

template <>
struct Schema<ModelArchitecture> {
  using T = ModelArchitecture;
  static constexpr Member kMembers[] = {
      required<&T::input_modalities>("input_modalities"),
      required<&T::output_modalities>("output_modalities"), required<&T::modality>("modality"),
      optional<&T::tokenizer>("tokenizer"), optional<&T::instruct_type>("instruct_type")};
};
template <>
struct Schema<TopProvider> {
  using T = TopProvider;
  static constexpr Member kMembers[] = {required<&T::is_moderated>("is_moderated"),
                                        optional<&T::context_length>("context_length"),
                                        optional<&T::max_completion_tokens>("max_completion_tokens")};
};
template <>
struct Schema<PerRequestLimits> {
  using T = PerRequestLimits;
  static constexpr Member kMembers[] = {required<&T::prompt_tokens>("prompt_tokens"),
                                        required<&T::completion_tokens>("completion_tokens")};
};
template <>
struct Schema<PercentileStats> {
  using T = PercentileStats;
  static constexpr Member kMembers[] = {required<&T::p50>("p50"), required<&T::p75>("p75"),
                                        required<&T::p90>("p90"), required<&T::p99>("p99")};
};
template <>
struct Schema<ToolChoiceSupport> {
  using T = ToolChoiceSupport;
  static constexpr Member kMembers[] = {required<&T::automatic>("auto"), required<&T::none>("none"),
                                        required<&T::required>("required"),
                                        required<&T::function>("function")};
};
template <>
struct Schema<ModelLinks> {
  static constexpr Member kMembers[] = {required<&ModelLinks::details>("details")};
};
template <>
struct Schema<Model> {
  using T = Model;
  static constexpr Member kMembers[] = {required<&T::id>("id"),
                                        required<&T::canonical_slug>("canonical_slug"),
                                        required<&T::name>("name"),
                                        required<&T::created>("created"),
                                        required<&T::context_length>("context_length"),
                                        required<&T::architecture>("architecture"),
                                        required<&T::pricing>("pricing"),
                                        required<&T::top_provider>("top_provider"),
                                        required<&T::per_request_limits>("per_request_limits"),
                                        required<&T::default_parameters>("default_parameters"),
                                        required<&T::supported_voices>("supported_voices"),
                                        required<&T::supported_parameters>("supported_parameters"),
                                        required<&T::links>("links"),
                                        optional<&T::description>("description"),
                                        optional<&T::hugging_face_id>("hugging_face_id"),
                                        optional<&T::expiration_date>("expiration_date"),
                                        optional<&T::knowledge_cutoff>("knowledge_cutoff")};
};
template <>
struct Schema<Endpoint> {
  using T = Endpoint;
  static constexpr Member kMembers[] = {required<&T::name>("name"),
                                        required<&T::model_id>("model_id"),
                                        required<&T::model_name>("model_name"),
                                        required<&T::provider_name>("provider_name"),
                                        required<&T::tag>("tag"),
                                        required<&T::context_length>("context_length"),
                                        required<&T::max_prompt_tokens>("max_prompt_tokens"),
                                        required<&T::max_completion_tokens>("max_completion_tokens"),
                                        required<&T::pricing>("pricing"),
                                        required<&T::quantization>("quantization"),
                                        required<&T::service_tier>("service_tier"),
                                        required<&T::supported_parameters>("supported_parameters"),
                                        optional<&T::status>("status"),
                                        required<&T::uptime_last_5m>("uptime_last_5m"),
                                        required<&T::uptime_last_30m>("uptime_last_30m"),
                                        required<&T::uptime_last_1d>("uptime_last_1d"),
                                        required<&T::latency_last_30m>("latency_last_30m"),
                                        required<&T::throughput_last_30m>("throughput_last_30m"),
                                        required<&T::supports_implicit_caching>("supports_implicit_caching"),
                                        required<&T::native_tools>("native_tools"),
                                        required<&T::supports_diarization>("supports_diarization"),
                                        required<&T::supports_tool_choice>("supports_tool_choice")};
};
template <>
struct Schema<ModelEndpoints> {
  using T = ModelEndpoints;
  static constexpr Member kMembers[] = {required<&T::id>("id"),
                                        required<&T::name>("name"),
                                        required<&T::description>("description"),
                                        required<&T::created>("created"),
                                        required<&T::architecture>("architecture"),
                                        required<&T::endpoints>("endpoints")};
};
template <>
struct Schema<Provider> {
  using T = Provider;
  static constexpr Member kMembers[] = {required<&T::name>("name"),
                                        required<&T::slug>("slug"),
                                        required<&T::privacy_policy_url>("privacy_policy_url"),
                                        optional<&T::terms_of_service_url>("terms_of_service_url"),
                                        optional<&T::status_page_url>("status_page_url"),
                                        optional<&T::headquarters>("headquarters"),
                                        optional<&T::datacenters>("datacenters")};
};
template <>
struct Schema<ModelsPage::Links> {
  static constexpr Member kMembers[] = {required<&ModelsPage::Links::next>("next")};
};
template <>
struct Schema<ModelsPage> {
  using T = ModelsPage;
  static constexpr Member kMembers[] = {
      required<&T::models>("data"), required<&T::total_count>("total_count"), required<&T::links>("links")};
};

}  // namespace embedrouter::sdk
