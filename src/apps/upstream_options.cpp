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

// Empty: none.
Result<std::optional<net::Proxy>> parse_proxy(const std::string& address, const std::string& source) {
  if (address.empty()) return std::optional<net::Proxy>();
  auto proxy = net::Proxy::parse(address);
  if (!proxy) return fail(ErrorCode::internal, source + ": " + proxy.error().message());
  return std::optional(*std::move(proxy));
}

Result<std::optional<net::Proxy>> proxy_of(const catalog::ProviderConfig& provider, const net::Url& url) {
  const std::string where = "provider \"" + provider.slug + "\": ";
  if (provider.proxy) return parse_proxy(*provider.proxy, where + "proxy");
  auto proxy = environment_proxy(url);
  if (!proxy) return fail(ErrorCode::internal, where + proxy.error().message());
  return proxy;
}

}  // namespace

Result<std::optional<net::Proxy>> environment_proxy(const net::Url& url) {
  std::string address = variable("https_proxy", "HTTPS_PROXY");
  const bool bypassed = net::bypasses_proxy(variable("no_proxy", "NO_PROXY"), url.host, url.port);
  if (!url.tls || bypassed) return std::optional<net::Proxy>();
  if (!address.empty() && address.find("://") == std::string::npos) address.insert(0, "http://");
  // The variable often ends in a slash.
  while (address.ends_with('/')) address.pop_back();
  return parse_proxy(address, "the environment variable HTTPS_PROXY");
}

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
