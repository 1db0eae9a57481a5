#include <algorithm>

#include "api/endpoint_list.h"
#include "gateway/gateway.h"

namespace embedrouter::gateway {

// Those configured, in their order, behind the one inside the router.
Result<net::Response> Gateway::get_providers(const Query&) const {
  std::vector<api::ListedProvider> providers;
  for (const catalog::Model* model : shared_.catalog->listed()) {
    for (const catalog::Endpoint& endpoint : model->endpoints) {
      if (endpoint.embedded && providers.empty())
        providers.push_back({endpoint.provider_name, endpoint.provider_slug});
    }
  }
  for (const catalog::ProviderConfig& provider : shared_.catalog->providers())
    providers.push_back({provider.name, provider.slug, provider.privacy_policy_url,
                         provider.terms_of_service_url, provider.status_page_url});
  return json_response(api::encode_providers(providers));
}

}  // namespace embedrouter::gateway
