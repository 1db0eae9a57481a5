#pragma once
#include <embedrouter/result.h>

#include <optional>

#include "catalog/config.h"
#include "net/client.h"

namespace embedrouter::apps {

// The proxy that HTTPS_PROXY names for `url`, unless NO_PROXY excepts it; nullopt for plain HTTP.
Result<std::optional<net::Proxy>> environment_proxy(const net::Url& url);

// How a provider is talked to. The environment's HTTPS_PROXY and NO_PROXY count for https where the
// configuration says nothing of a proxy; HTTP_PROXY never does: plain HTTP is for upstreams close by.
Result<net::ClientOptions> upstream_options(const catalog::ProviderConfig& provider, const net::Url& url);

}  // namespace embedrouter::apps
