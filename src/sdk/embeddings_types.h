#pragma once
// What an answer with vectors tells beside them: which members it must have, as in the official Python SDK.
#include <embedrouter/embeddings.h>

#include "sdk/json_schema.h"

namespace embedrouter::sdk {

template <>
struct Schema<PromptTokensDetails> {
  using T = PromptTokensDetails;
  static constexpr std::tuple kMembers{
      optional<&T::text_tokens>("text_tokens"), optional<&T::image_tokens>("image_tokens"),
      optional<&T::audio_tokens>("audio_tokens"), optional<&T::video_tokens>("video_tokens"),
      optional<&T::file_tokens>("file_tokens")};
};
template <>
struct Schema<CostDetails> {
  using T = CostDetails;
  static constexpr std::tuple kMembers{
      required<&T::upstream_inference_completions_cost>("upstream_inference_completions_cost"),
      required<&T::upstream_inference_prompt_cost>("upstream_inference_prompt_cost"),
      optional<&T::upstream_inference_cost>("upstream_inference_cost"),
      optional<&T::server_tool_cost>("server_tool_cost")};
};
template <>
struct Schema<EmbeddingsUsage> {
  using T = EmbeddingsUsage;
  static constexpr std::tuple kMembers{required<&T::prompt_tokens>("prompt_tokens"),
                                       required<&T::total_tokens>("total_tokens"),
                                       optional<&T::cost>("cost"),
                                       optional<&T::is_byok>("is_byok"),
                                       lenient<&T::cost_details>("cost_details"),
                                       optional<&T::prompt_tokens_details>("prompt_tokens_details")};
};

}  // namespace embedrouter::sdk
