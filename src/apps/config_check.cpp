#include "apps/config_check.h"

#include <string>
#include <utility>

#include "apps/installed_models.h"
#include "apps/provider_keys.h"
#include "apps/runtime.h"
#include "apps/service.h"
#include "apps/upstream_options.h"
#include "local/embedded_facts.h"
#include "net/tls.h"

namespace embedrouter::apps {
namespace {

using Faults = std::vector<catalog::ConfigFault>;

Result<void> check_way(const catalog::ProviderConfig& provider) {
  auto url = net::Url::parse(provider.base_url);
  if (!url) return fail(std::move(url).error());
  auto options = upstream_options(provider, *url);
  if (!options) return fail(std::move(options).error());
  asio::io_context unused{1};
  auto client = net::Client::make(unused, *std::move(url), *options);
  if (!client)
    return fail(ErrorCode::internal, "provider \"" + provider.slug + "\": " + client.error().message());
  return {};
}

void check_provider(const catalog::ProviderConfig& provider, Faults& faults) {
  for (std::string& fault : read_keys(provider).faults)
    faults.push_back({provider.key_line, std::move(fault)});
  if (auto way = check_way(provider); !way) faults.push_back({provider.line, way.error().message()});
}

void check_server(const catalog::Config::Server& server, Faults& faults) {
  if (server.tls_cert_file.empty()) return;
  if (auto context = net::make_server_context(server_tls(server)); !context)
    faults.push_back({0, "[server.tls]: " + context.error().message()});
}

Result<void> check_models(const catalog::Config& config) {
  std::unique_ptr<inference::LocalModel> model;
  catalog::EmbeddedFacts facts;
  if (config.embedded.enabled) {
    auto loaded = inference::LocalModel::load(model_options(config.embedded));
    if (!loaded) return fail(ErrorCode::internal, "[embedded]: " + loaded.error().message());
    model = *std::move(loaded);
    facts = local::facts_of(*model);
  }
  auto catalog = catalog::Catalog::build(config, model ? &facts : nullptr);
  if (!catalog) return fail(std::move(catalog).error());
  return {};
}

// Those that [embedded] models names; the others may fail to be served.
void check_named_models(const catalog::Config& config, Faults& faults) {
  if (!config.embedded.enabled || !config.embedded.models) return;
  std::vector<std::string> unreadable;
  const std::vector<hub::Installed> installed = installed_models(config, unreadable);
  for (const std::string& id : *config.embedded.models) {
    const auto fault = [&](const Error& error) {
      faults.push_back({0, "[embedded] models: " + id + ": " + error.message()});
    };
    const auto named = named_model(installed, id);
    if (!named) {
      fault(named.error());
    } else if (const auto sound = inspect_installed(config, *named); !sound) {
      fault(sound.error());
    }
  }
}

}  // namespace

Faults check_named(const catalog::Config& config) {
  Faults faults;
  check_server(config.server, faults);
  if (auto models = check_models(config); !models) faults.push_back({0, models.error().message()});
  check_named_models(config, faults);
  for (const catalog::ProviderConfig& provider : config.providers) check_provider(provider, faults);
  return faults;
}

}  // namespace embedrouter::apps
