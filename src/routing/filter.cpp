#include "routing/filter.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace embedrouter::routing {
namespace {

using api::EmbedRequest;
using api::ProviderPreferences;
using catalog::Endpoint;

bool any_names(const std::vector<std::string_view>& names, const Endpoint& endpoint) {
  return std::ranges::any_of(names, [&](std::string_view name) { return names_provider(name, endpoint); });
}

std::string list_of(const std::vector<std::uint32_t>& widths, std::uint32_t native) {
  std::string text;
  for (const std::uint32_t width : widths) text += std::to_string(width) + ", ";
  return text + std::to_string(native);
}

// A symmetric model embeds queries and documents alike, so it honours both.
bool honours_input_type(const Endpoint& endpoint, std::string_view type) {
  static constexpr std::array<std::string_view, 5> kSymmetric{"query", "document", "search_query",
                                                              "search_document", "passage"};
  if (endpoint.model->symmetric && std::ranges::find(kSymmetric, type) != kSymmetric.end()) return true;
  return std::ranges::find(endpoint.input_types, type) != endpoint.input_types.end();
}

std::optional<Exclusion> exclude_by_parameter(const Endpoint& endpoint, const EmbedRequest& request) {
  const catalog::Model& model = *endpoint.model;
  if (request.dimensions && *request.dimensions != model.dimensions) {
    const bool offered = std::ranges::find(model.matryoshka, *request.dimensions) != model.matryoshka.end();
    if (!offered || !endpoint.dimensions) {
      return Exclusion{
          ErrorCode::invalid_request, "dimensions",
          model.id + " makes vectors of " +
              list_of(offered ? std::vector<std::uint32_t>{} : model.matryoshka, model.dimensions) +
              " dimensions, not " + std::to_string(*request.dimensions)};
    }
  }
  if (request.input_type && !honours_input_type(endpoint, *request.input_type)) {
    return Exclusion{ErrorCode::invalid_request, "input_type",
                     model.id + " knows no such input_type" +
                         (model.symmetric ? "; it embeds \"query\" and \"document\" alike"
                                          : "; leave it out or name a model that does")};
  }
  if (request.items.front().is_tokens() && !endpoint.token_ids) {
    return Exclusion{
        ErrorCode::token_input_unsupported, "input",
        model.id +
            " takes text, not token ids: ids mean nothing outside the vocabulary they were made with. "
            "Send strings (LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))"};
  }
  if (request.truncate && !endpoint.embedded) {
    return Exclusion{ErrorCode::invalid_request, "truncate",
                     "\"truncate\": true is an extension of the embedded model; " + endpoint.provider_name +
                         " cannot say what it cut. Shorten the texts before sending them"};
  }
  return std::nullopt;
}

std::optional<Exclusion> exclude_by_preference(const Endpoint& endpoint, const ProviderPreferences& wish) {
  const auto out = [](std::string parameter, std::string reason) {
    return Exclusion{ErrorCode::no_endpoint, "provider." + std::move(parameter), std::move(reason)};
  };
  if (wish.has_only && !any_names(wish.only, endpoint))
    return out("only", "it is not among the allowed providers");
  if (any_names(wish.ignore, endpoint)) return out("ignore", "it is among the ignored providers");
  if (!wish.allow_fallbacks && wish.has_order && !any_names(wish.order, endpoint)) {
    return out("order", "it is not in the order, and fallbacks are not allowed");
  }
  if (wish.zdr && !endpoint.policy.zdr) return out("zdr", "it is not declared to keep nothing");
  if (wish.deny_data_collection && endpoint.policy.training) {
    return out("data_collection", "it is not declared free of data collection");
  }
  if (wish.enforce_distillable_text) {
    return out("enforce_distillable_text", "no model here is declared distillable");
  }
  if (!wish.quantizations.empty() &&
      std::ranges::find(wish.quantizations, endpoint.quantization) == wish.quantizations.end()) {
    return out("quantizations", "its quantization is " + endpoint.quantization);
  }
  // Prices per million tokens against prices per token; the slack is for the decimal fraction.
  const double price = static_cast<double>(endpoint.pico_usd_per_token) * 1e-6;
  if (wish.max_price.prompt && price > *wish.max_price.prompt * (1 + 1e-9)) {
    return out("max_price", "its price per million tokens is above that");
  }
  for (const ProviderPreferences::Option& option : wish.options) {
    if (names_provider(option.slug, endpoint)) {
      return Exclusion{
          ErrorCode::invalid_request, "provider.options",
          "options cannot be applied to " + endpoint.provider_name + " yet; leave its entry out"};
    }
  }
  return std::nullopt;
}

}  // namespace

bool names_provider(std::string_view name, const Endpoint& endpoint) {
  return same_ignoring_case(name, endpoint.provider_slug) || same_ignoring_case(name, endpoint.provider_name);
}

std::optional<Exclusion> exclude(const Endpoint& endpoint, const EmbedRequest& request) {
  if (request.provider != nullptr) {
    if (auto out = exclude_by_preference(endpoint, *request.provider)) return out;
  }
  return exclude_by_parameter(endpoint, request);
}

Result<std::vector<Candidate>> filter(std::span<const Candidate> candidates, const EmbedRequest& request,
                                      std::vector<embed::CandidateRecord>& excluded) {
  std::vector<Candidate> kept;
  std::optional<Exclusion> told;
  for (const Candidate& candidate : candidates) {
    auto out = exclude(*candidate.endpoint, request);
    if (!out) {
      kept.push_back(candidate);
      continue;
    }
    excluded.push_back(record_of(candidate, out->parameter));
    if (!told || (told->code == ErrorCode::no_endpoint && out->code != ErrorCode::no_endpoint)) {
      told = std::move(out);  // an endpoint that only a parameter took out is the nearest to an answer
    }
  }
  if (!kept.empty()) return kept;
  if (!told) return fail(ErrorCode::no_endpoint, "the model has no endpoint");
  if (told->code == ErrorCode::no_endpoint) {
    return fail(Error(told->code, "no endpoint of the model is left: " + told->parameter +
                                      " excludes the last one (" + told->reason + ")")
                    .with_param(told->parameter));
  }
  return fail(Error(told->code, told->parameter + ": " + told->reason).with_param(told->parameter));
}

}  // namespace embedrouter::routing
