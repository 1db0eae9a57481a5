#pragma once
// Models, endpoints, providers: which members an answer must have, as in the official Python SDK.
#include <embedrouter/models.h>

#include "sdk/json_schema.h"

namespace embedrouter::sdk {

template <>
struct Schema<PriceOverride> {
  using T = PriceOverride;
  static constexpr std::tuple kMembers{optional<&T::min_prompt_tokens>("min_prompt_tokens"),
                                       optional<&T::utc_start>("utc_start"),
                                       optional<&T::utc_end>("utc_end"),
                                       optional<&T::utc_days>("utc_days"),
                                       optional<&T::prompt>("prompt"),
                                       optional<&T::completion>("completion"),
                                       optional<&T::audio>("audio"),
                                       optional<&T::input_audio_cache>("input_audio_cache"),
                                       optional<&T::input_cache_read>("input_cache_read"),
                                       optional<&T::input_cache_write>("input_cache_write"),
                                       optional<&T::input_cache_write_1h>("input_cache_write_1h")};
};
template <>
struct Schema<Pricing> {
  using T = Pricing;
  static constexpr std::tuple kMembers{required<&T::prompt>("prompt"),
                                       required<&T::completion>("completion"),
                                       optional<&T::request>("request"),
                                       optional<&T::image>("image"),
                                       optional<&T::image_token>("image_token"),
                                       optional<&T::image_output>("image_output"),
                                       optional<&T::audio>("audio"),
                                       optional<&T::audio_output>("audio_output"),
                                       optional<&T::input_audio_cache>("input_audio_cache"),
                                       optional<&T::input_cache_read>("input_cache_read"),
                                       optional<&T::input_cache_write>("input_cache_write"),
                                       optional<&T::input_cache_write_1h>("input_cache_write_1h"),
                                       optional<&T::internal_reasoning>("internal_reasoning"),
                                       optional<&T::web_search>("web_search"),
                                       optional<&T::discount>("discount"),
                                       optional<&T::overrides>("overrides")};
};
template <>
struct Schema<ModelArchitecture> {
  using T = ModelArchitecture;
  static constexpr std::tuple kMembers{
      required<&T::input_modalities>("input_modalities"),
      required<&T::output_modalities>("output_modalities"), required<&T::modality>("modality"),
      optional<&T::tokenizer>("tokenizer"), optional<&T::instruct_type>("instruct_type")};
};
template <>
struct Schema<TopProvider> {
  using T = TopProvider;
  static constexpr std::tuple kMembers{required<&T::is_moderated>("is_moderated"),
                                       optional<&T::context_length>("context_length"),
                                       optional<&T::max_completion_tokens>("max_completion_tokens")};
};
template <>
struct Schema<PerRequestLimits> {
  using T = PerRequestLimits;
  static constexpr std::tuple kMembers{required<&T::prompt_tokens>("prompt_tokens"),
                                       required<&T::completion_tokens>("completion_tokens")};
};
template <>
struct Schema<PercentileStats> {
  using T = PercentileStats;
  static constexpr std::tuple kMembers{required<&T::p50>("p50"), required<&T::p75>("p75"),
                                       required<&T::p90>("p90"), required<&T::p99>("p99")};
};
template <>
struct Schema<WorkloadStats> {
  using T = WorkloadStats;
  static constexpr std::tuple kMembers{required<&T::latency>("latency"),
                                       required<&T::throughput>("throughput"),
                                       required<&T::request_count>("request_count")};
};
template <>
struct Schema<StatsByWorkload> {
  using T = StatsByWorkload;
  static constexpr std::tuple kMembers{optional<&T::embeddings>("embeddings"),
                                       optional<&T::rerank>("rerank"),
                                       optional<&T::decisions>("decisions"),
                                       optional<&T::text_generation>("text_generation"),
                                       optional<&T::image_generation>("image_generation"),
                                       optional<&T::video_generation>("video_generation"),
                                       optional<&T::tts>("tts"),
                                       optional<&T::stt>("stt"),
                                       optional<&T::unknown>("unknown")};
};
template <>
struct Schema<NativeTool> {
  using T = NativeTool;
  static constexpr std::tuple kMembers{required<&T::type>("type")};
};
template <>
struct Schema<ToolChoiceSupport> {
  using T = ToolChoiceSupport;
  static constexpr std::tuple kMembers{required<&T::automatic>("auto"), required<&T::none>("none"),
                                       required<&T::required>("required"),
                                       required<&T::function>("function")};
};
template <>
struct Schema<ModelLinks> {
  static constexpr std::tuple kMembers{required<&ModelLinks::details>("details")};
};
template <>
struct Schema<DefaultParameters> {
  using T = DefaultParameters;
  static constexpr std::tuple kMembers{optional<&T::temperature>("temperature"),
                                       optional<&T::top_p>("top_p"),
                                       optional<&T::frequency_penalty>("frequency_penalty"),
                                       optional<&T::presence_penalty>("presence_penalty"),
                                       optional<&T::repetition_penalty>("repetition_penalty"),
                                       optional<&T::top_k>("top_k")};
};
template <>
struct Schema<AliasTarget> {
  using T = AliasTarget;
  static constexpr std::tuple kMembers{required<&T::name>("name"), required<&T::slug>("slug")};
};
template <>
struct Schema<ArenaScore> {
  using T = ArenaScore;
  static constexpr std::tuple kMembers{required<&T::arena>("arena"), required<&T::category>("category"),
                                       required<&T::elo>("elo"), required<&T::win_rate>("win_rate"),
                                       required<&T::rank>("rank")};
};
template <>
struct Schema<IndexScores> {
  using T = IndexScores;
  static constexpr std::tuple kMembers{required<&T::intelligence_index>("intelligence_index"),
                                       required<&T::coding_index>("coding_index"),
                                       required<&T::agentic_index>("agentic_index")};
};
template <>
struct Schema<Benchmarks> {
  using T = Benchmarks;
  static constexpr std::tuple kMembers{required<&T::design_arena>("design_arena"),
                                       optional<&T::artificial_analysis>("artificial_analysis")};
};
template <>
struct Schema<Reasoning> {
  using T = Reasoning;
  static constexpr std::tuple kMembers{
      required<&T::mandatory>("mandatory"), optional<&T::default_enabled>("default_enabled"),
      optional<&T::default_effort>("default_effort"), optional<&T::supported_efforts>("supported_efforts"),
      optional<&T::supports_max_tokens>("supports_max_tokens")};
};
template <>
struct Schema<Model> {
  using T = Model;
  static constexpr std::tuple kMembers{required<&T::id>("id"),
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
                                       optional<&T::knowledge_cutoff>("knowledge_cutoff"),
                                       optional<&T::alias_target>("alias_target"),
                                       optional<&T::benchmarks>("benchmarks"),
                                       optional<&T::reasoning>("reasoning")};
};
template <>
struct Schema<Endpoint> {
  using T = Endpoint;
  static constexpr std::tuple kMembers{
      required<&T::name>("name"),
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
      optional<&T::perf_last_30m_by_workload>("perf_last_30m_by_workload"),
      required<&T::supports_implicit_caching>("supports_implicit_caching"),
      required<&T::native_tools>("native_tools"),
      required<&T::supports_diarization>("supports_diarization"),
      optional<&T::supports_image_reference>("supports_image_reference"),
      optional<&T::supports_multiple_audio_references>("supports_multiple_audio_references"),
      optional<&T::supports_voice_cloning>("supports_voice_cloning"),
      required<&T::supports_tool_choice>("supports_tool_choice")};
};
template <>
struct Schema<ModelEndpoints> {
  using T = ModelEndpoints;
  static constexpr std::tuple kMembers{required<&T::id>("id"),
                                       required<&T::name>("name"),
                                       required<&T::description>("description"),
                                       required<&T::created>("created"),
                                       required<&T::architecture>("architecture"),
                                       required<&T::endpoints>("endpoints")};
};
template <>
struct Schema<Provider> {
  using T = Provider;
  static constexpr std::tuple kMembers{required<&T::name>("name"),
                                       required<&T::slug>("slug"),
                                       required<&T::privacy_policy_url>("privacy_policy_url"),
                                       optional<&T::terms_of_service_url>("terms_of_service_url"),
                                       optional<&T::status_page_url>("status_page_url"),
                                       optional<&T::headquarters>("headquarters"),
                                       optional<&T::datacenters>("datacenters")};
};
template <>
struct Schema<ModelsPage::Links> {
  static constexpr std::tuple kMembers{required<&ModelsPage::Links::next>("next")};
};
template <>
struct Schema<ModelsPage> {
  using T = ModelsPage;
  static constexpr std::tuple kMembers{required<&T::models>("data"), required<&T::total_count>("total_count"),
                                       required<&T::links>("links")};
};

}  // namespace embedrouter::sdk
