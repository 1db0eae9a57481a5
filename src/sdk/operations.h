#pragma once
// The operations of the API: which status is a success, which are typed errors. One row each, as in the
// official SDKs.

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace embedrouter::sdk {

struct Operation {
  std::string_view name, method;
  int success = 200;
  // Others are unexpected_response.
  std::uint16_t typed[16] = {};  // ends with 0
};

namespace operations {

inline constexpr Operation kGenerate{
    "embeddings.generate",
    "POST",
    200,
    {400, 401, 402, 403, 404, 408, 413, 429, 499, 500, 502, 503, 504, 524, 529}};
inline constexpr Operation kListEmbeddingsModels{"embeddings.list_models", "GET", 200, {400, 500}};
inline constexpr Operation kModelsList{"models.list", "GET", 200, {400, 403, 500, 503}};
inline constexpr Operation kModelsCount{"models.count", "GET", 200, {400, 403, 500}};
inline constexpr Operation kModelsUser{"models.list_for_user", "GET", 200, {401, 403, 404, 500, 503}};
inline constexpr Operation kModelsGet{"models.get", "GET", 200, {403, 404, 500}};
inline constexpr Operation kEndpointsList{"endpoints.list", "GET", 200, {403, 404, 500, 503}};
inline constexpr Operation kEndpointsZdr{"endpoints.list_zdr_endpoints", "GET", 200, {403, 500, 503}};
inline constexpr Operation kProvidersList{"providers.list", "GET", 200, {500}};
inline constexpr Operation kCurrentKey{"api_keys.get_current_key_metadata", "GET", 200, {401, 500}};
inline constexpr Operation kKeysList{"api_keys.list", "GET", 200, {400, 401, 404, 429, 500}};
inline constexpr Operation kKeysCreate{"api_keys.create", "POST", 201, {400, 401, 403, 429, 500}};
inline constexpr Operation kKeysGet{"api_keys.get", "GET", 200, {401, 404, 429, 500}};
inline constexpr Operation kKeysUpdate{"api_keys.update", "PATCH", 200, {400, 401, 403, 404, 409, 429, 500}};
inline constexpr Operation kKeysDelete{"api_keys.delete", "DELETE", 200, {401, 404, 429, 500}};
inline constexpr Operation kCredits{"credits.get_credits", "GET", 200, {401, 403, 500}};
inline constexpr Operation kGeneration{
    "generations.get_generation", "GET", 200, {400, 401, 402, 403, 404, 429, 500, 502, 524, 529}};
inline constexpr Operation kActivity{"analytics.get_user_activity", "GET", 200, {400, 401, 403, 404, 500}};
inline constexpr Operation kByokList{"byok.list", "GET", 200, {400, 401, 403, 500}};
inline constexpr Operation kByokCreate{"byok.create", "POST", 201, {400, 401, 403, 500}};
inline constexpr Operation kByokGet{"byok.get", "GET", 200, {401, 403, 404, 500}};
inline constexpr Operation kByokUpdate{"byok.update", "PATCH", 200, {400, 401, 403, 404, 409, 500}};
inline constexpr Operation kByokDelete{"byok.delete", "DELETE", 200, {401, 403, 404, 500}};

}  // namespace operations
}  // namespace embedrouter::sdk
