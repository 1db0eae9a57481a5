#include "apps/upstream_options.h"

#include <cstdlib>
#include <utility>

namespace embedrouter::apps {
namespace {

// In either case of its letters, as curl and Python read them; the lower one wins.
std::string variable(const char* lower, const char* upper) {
  for (const char* name : {lower, upper}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

Result<std::optional<net::Proxy>> proxy_of(const catalog::ProviderConfig& provider, const net::Url& url) {
  std::string address = provider.proxy.value_or("");
  std::string source = "proxy";
  if (!provider.proxy && url.tls) {
    address = variable("https_proxy", "HTTPS_PROXY");
    source = "the environment variable HTTPS_PROXY";
    if (net::bypasses_proxy(variable("no_proxy", "NO_PROXY"), url.host, url.port)) address.clear();
    if (!address.empty() && address.find("://") == std::string::npos) address.insert(0, "http://");
    // The variable often ends in a slash.
    while (address.ends_with('/')) address.pop_back();
  }
  if (address.empty()) return std::optional<net::Proxy>();
  auto proxy = net::Proxy::parse(address);
  if (!proxy) {
    return fail(ErrorCode::internal,
                "provider \"" + provider.slug + "\": " + source + ": " + proxy.error().message());
  }
  return std::optional(*std::move(proxy));
}

}  // namespace

Result<net::ClientOptions> upstream_options(const catalog::ProviderConfig& provider, const net::Url& url) {
  net::ClientOptions options;
  options.deadlines = {provider.connect_timeout, provider.first_byte_timeout, provider.idle_timeout};
  options.tls = {provider.ca_file, provider.client_cert_file, provider.client_key_file};
  options.http2 = provider.http2;
  options.compression = provider.compression;
  auto proxy = proxy_of(provider, url);
  if (!proxy) return fail(std::move(proxy).error());
  options.proxy = *std::move(proxy);
  return options;
}

}  // namespace embedrouter::apps
