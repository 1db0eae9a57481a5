#include "routing/model_name.h"

#include <algorithm>
#include <array>
#include <string>

namespace embedrouter::routing {
namespace {

using api::Sort;
using catalog::Tier;

struct Suffix {
  std::string_view text;
  Sort sort;
  Tier tier;
};
constexpr std::array<Suffix, 3> kSuffixes{{{":nitro", Sort::throughput, Tier::priority},
                                           {":floor", Sort::price, Tier::flex},
                                           {":exacto", Sort::none, Tier::standard}}};  // by tool calls
constexpr std::array<std::string_view, 3> kOfChat{":online", ":extended", ":thinking"};

}  // namespace

ModelName split_suffix(std::string_view model) {
  for (const Suffix& suffix : kSuffixes) {
    if (model.size() > suffix.text.size() && model.ends_with(suffix.text))
      return {model.substr(0, model.size() - suffix.text.size()), suffix.sort, suffix.tier};
  }
  return {model};
}

Error explain_unknown_model(std::string_view model) {
  const auto error = [](ErrorCode code, std::string message) {
    return Error(code, std::move(message)).with_param("model");
  };
  if (model.find("@preset/") != std::string_view::npos)
    return error(ErrorCode::invalid_request, "presets do not exist here; name the model");
  if (model.starts_with('~')) {
    return error(ErrorCode::model_not_found,
                 "no such alias here: \"~\" means the latest of a family only where the operator made it an "
                 "alias; name the model");
  }
  const auto ends = [&](std::string_view suffix) { return model.ends_with(suffix); };
  if (ends(":free")) {
    return error(ErrorCode::model_not_found,
                 "no free variant of that name here; GET /api/v1/embeddings/models lists what there is");
  }
  if (const auto* const suffix = std::ranges::find_if(kOfChat, ends); suffix != kOfChat.end()) {
    return error(ErrorCode::model_not_found,
                 "the suffix " + std::string(*suffix) + " is for chat models; name the model without it");
  }
  return error(ErrorCode::model_not_found,
               "no model of that name here; GET /api/v1/embeddings/models lists them");
}

}  // namespace embedrouter::routing
