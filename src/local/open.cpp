#include <embedrouter/local.h>

#include <utility>

#include "catalog/values.h"
#include "local/embedded_facts.h"
#include "local/local_transport.h"

namespace embedrouter::local::inline v0 {
namespace {

inference::ModelOptions engine_options(const ModelOptions& model) {
  inference::ModelOptions options;
  options.folder = model.folder;
  if (!model.id.empty()) options.name = model.id;
  switch (model.precision) {
    case Precision::automatic:
      break;
    case Precision::fp32:
      options.precision = inference::Precision::fp32;
      break;
    case Precision::bf16:
      options.precision = inference::Precision::bf16;
      break;
    case Precision::int8:
      options.precision = inference::Precision::int8;
      break;
  }
  options.threads = model.threads;
  options.max_tokens = model.max_tokens;
  options.queue_tokens = model.queue_tokens;
  return options;
}

bool ascends(const std::vector<std::uint32_t>& widths) {
  std::uint32_t last = 0;
  for (const std::uint32_t width : widths) {
    if (width <= std::exchange(last, width)) return false;
  }
  return true;
}

tl::unexpected<sdk::Error> unusable(std::string why) {
  return sdk::fail(sdk::ErrorKind::usage, std::move(why));
}

}  // namespace

sdk::Result<sdk::Client> open(const ModelOptions& model, sdk::ClientOptions options) {
  if (options.transport || options.server_url)
    return unusable(
        "the options of a client that embeds in its own process name a transport or a server URL");
  if (model.folder.empty()) return unusable("folder is empty: name the folder of the model");
  if (!model.id.empty() && !catalog::is_model_id(model.id))
    return unusable("the id of the model must be like \"author/slug\", not \"" + model.id + '"');
  if (!ascends(model.matryoshka)) return unusable("the widths of matryoshka must ascend from 1");
  auto loaded = inference::LocalModel::load(engine_options(model));
  if (!loaded) return unusable(loaded.error().message());
  catalog::Config config;
  config.embedded.id = model.id;
  config.embedded.matryoshka = model.matryoshka;
  const catalog::EmbeddedFacts facts = facts_of(**loaded);
  auto catalog = catalog::Catalog::build(config, &facts);
  if (!catalog) return unusable(catalog.error().message());
  options.server_url = kServerUrl;
  // The key in the environment is another server's.
  if (std::holds_alternative<std::monostate>(options.api_key)) options.api_key = std::string();
  options.transport = std::make_shared<LocalTransport>(*std::move(loaded), *std::move(catalog));
  return sdk::Client(std::move(options));
}

}  // namespace embedrouter::local::inline v0
