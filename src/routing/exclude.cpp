#include "routing/exclude.h"

#include <algorithm>
#include <array>
#include <utility>

namespace embedrouter::routing {
namespace {

using api::EmbedRequest;
using api::ProviderPreferences;
using catalog::Endpoint;

bool any_names(const std::vector<std::string_view>& names, const Endpoint& endpoint) {
  return std::ranges::any_of(names, [&](std::string_view name) { return catalog::names(name, endpoint); });
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

// A family of number formats covers its members.
bool covers(std::string_view wanted, std::string_view quantization) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kMembers{
      {{"fp4", "mxfp4"}, {"fp4", "nvfp4"}, {"fp8", "mxfp8"}}};
  return wanted == quantization ||
         std::ranges::find(kMembers, std::pair(wanted, quantization)) != kMembers.end();
}

// Endpoints of a service tier have a price or a speed of their own: they answer who names them whole, or
// whose model's suffix lets them in (CONTRACT 6.5).
std::optional<Exclusion> exclude_by_tier(const Endpoint& endpoint, const ProviderPreferences* wish,
                                         catalog::Tier admitted) {
  if (endpoint.tier == catalog::Tier::standard) return std::nullopt;
  const bool in_order = wish != nullptr && wish->has_order;
  if (endpoint.tier == admitted && !in_order) return std::nullopt;
  if (in_order && any_names(wish->order, endpoint)) return std::nullopt;
  if (wish != nullptr && any_names(wish->only, endpoint)) return std::nullopt;
  const bool fast = endpoint.tier == catalog::Tier::priority;
  return Exclusion{ErrorCode::no_endpoint, "service_tier",
                   "it answers when provider.order or provider.only names \"" + endpoint.provider_slug +
                       "\", or when the model is asked for with " + (fast ? ":nitro" : ":floor")};
}

std::optional<Exclusion> exclude_by_preference(const Endpoint& endpoint, const ProviderPreferences& wish,
                                               bool has_user) {
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
  if (wish.deny_data_collection && endpoint.policy.training && !endpoint.policy.zdr) {
    return out("data_collection", "it is not declared free of data collection");
  }
  if (wish.enforce_distillable_text && !endpoint.model->distillable) {
    return out("enforce_distillable_text", "the model is not declared distillable");
  }
  if (wish.require_parameters && has_user && !endpoint.user) {
    return out("require_parameters", "it has no place for user");
  }
  if (!wish.quantizations.empty() && std::ranges::none_of(wish.quantizations, [&](std::string_view name) {
        return covers(name, endpoint.quantization);
      })) {
    return out("quantizations", "its quantization is " + endpoint.quantization);
  }
  // Prices per million tokens against prices per token; the slack is for the decimal fraction.
  const double price = static_cast<double>(endpoint.pico_usd_per_token) * 1e-6;
  if (wish.max_price.prompt && price > *wish.max_price.prompt * (1 + 1e-9)) {
    return out("max_price", "its price per million tokens is above that");
  }
  for (const ProviderPreferences::Option& option : wish.options) {
    if (endpoint.embedded && catalog::names(option.slug, endpoint)) {
      return Exclusion{
          ErrorCode::invalid_request, "provider.options",
          "the embedded model has no options; leave the entry of " + endpoint.provider_name + " out"};
    }
  }
  return std::nullopt;
}

// Each parameter that took some out, with a reason.
std::string told_of(std::span<const Exclusion> out) {
  std::string text;
  std::vector<std::string_view> told;
  for (const Exclusion& exclusion : out) {
    if (std::ranges::find(told, exclusion.parameter) != told.end()) continue;
    told.emplace_back(exclusion.parameter);
    if (!text.empty()) text += "; ";
    text +=
        exclusion.parameter + " excludes " + (out.size() == 1 ? "it" : "one") + " (" + exclusion.reason + ")";
  }
  return text;
}

}  // namespace

std::optional<Exclusion> exclude(const Endpoint& endpoint, const EmbedRequest& request,
                                 catalog::Tier admitted) {
  if (request.provider != nullptr) {
    if (auto out = exclude_by_preference(endpoint, *request.provider, request.user.has_value())) return out;
  }
  if (auto out = exclude_by_tier(endpoint, request.provider, admitted)) return out;
  return exclude_by_parameter(endpoint, request);
}

Error nothing_left(std::span<const Exclusion> out) {
  if (out.empty()) return {ErrorCode::no_endpoint, "the model has no endpoint"};
  // An endpoint that only a parameter took out is the nearest to an answer.
  const auto told =
      std::ranges::find_if(out, [](const Exclusion& e) { return e.code != ErrorCode::no_endpoint; });
  if (told != out.end())
    return Error(told->code, told->parameter + ": " + told->reason).with_param(told->parameter);
  return Error(ErrorCode::no_endpoint, "no endpoint of the model is left: " + told_of(out))
      .with_param(out.front().parameter);
}

Error nothing_in_space() {
  return Error(ErrorCode::space_mismatch,
               "no endpoint of the model is in the space that X-Embedrouter-Space pins; its "
               "vectors could not be compared with yours")
      .with_param("X-Embedrouter-Space");
}

}  // namespace embedrouter::routing
