#include "apps/installed_models.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "base/ascii.h"
#include "catalog/catalog.h"

namespace embedrouter::apps {
namespace {

using hub::in_mebibytes;

bool is_configured(const catalog::Config& config, std::string_view id) {
  return std::ranges::any_of(config.models, [&](const catalog::ModelConfig& model) {
    const auto same = [&](const std::string& name) { return same_ignoring_case(name, id); };
    return same(model.id) || std::ranges::any_of(model.aliases, same);
  });
}

}  // namespace

inference::ModelOptions model_options(const catalog::Config::Embedded& section) {
  inference::ModelOptions options;
  options.folder = section.model_dir;
  options.name = catalog::embedded_id(section);
  if (section.precision == "fp32") options.precision = inference::Precision::fp32;
  if (section.precision == "bf16") options.precision = inference::Precision::bf16;
  if (section.precision == "int8") options.precision = inference::Precision::int8;
  options.threads = section.threads;
  options.max_tokens = section.max_tokens;
  options.queue_tokens = section.queue_tokens;
  return options;
}

inference::ModelOptions model_options(const catalog::Config::Embedded& section, const std::string& id,
                                      const std::filesystem::path& folder) {
  inference::ModelOptions options = model_options(section);
  options.folder = folder;
  options.name = id;
  options.max_tokens = 0;  // each has its own limit
  return options;
}

inference::PoolOptions pool_options(const catalog::Config::Embedded& section) {
  return {section.memory, section.idle_timeout};
}

bool is_standing(const catalog::Config& config, std::string_view id) {
  return same_ignoring_case(id, catalog::embedded_id(config.embedded));
}

bool is_chosen(const catalog::Config& config, std::string_view id) {
  const auto& named = config.embedded.models;
  return !named ||
         std::ranges::any_of(*named, [&](const std::string& each) { return same_ignoring_case(each, id); });
}

Result<hub::ModelStore::Change> begin_change(const hub::ModelStore& store, const std::string& id) {
  return store.change(id, [&] { std::cerr << "another program is changing " << id << "; waiting for it\n"; });
}

std::vector<hub::Installed> installed_models(const catalog::Config& config,
                                             std::vector<std::string>& faults) {
  std::vector<hub::Installed> installed = hub::ModelStore(catalog::models_path(config)).list(faults);
  std::erase_if(installed,
                [&](const hub::Installed& model) { return is_standing(config, model.manifest.id); });
  return installed;
}

Result<hub::Installed> named_model(const std::vector<hub::Installed>& installed, const std::string& id) {
  const auto found = std::ranges::find_if(
      installed, [&](const hub::Installed& each) { return same_ignoring_case(each.manifest.id, id); });
  if (found != installed.end()) return *found;
  return fail(ErrorCode::invalid_request, "is not installed; run: embedrouter models add " + id);
}

Result<inference::Inspection> inspect_installed(const catalog::Config& config,
                                                const hub::Installed& installed) {
  const std::string& id = installed.manifest.id;
  if (is_configured(config, id)) {
    return fail(ErrorCode::invalid_request,
                "a [[model]] of the configuration has this name; install it under another, with --id");
  }
  if (auto sound = hub::check_sizes(installed); !sound) return fail(std::move(sound).error());
  auto inspected = inference::LocalModel::inspect(model_options(config.embedded, id, installed.folder));
  if (inspected && inspected->bytes > config.embedded.memory) {
    return fail(ErrorCode::invalid_request, "it takes " + in_mebibytes(inspected->bytes) +
                                                ", more than [embedded] memory, which is " +
                                                in_mebibytes(config.embedded.memory));
  }
  return inspected;
}

Result<std::unique_ptr<inference::LocalModel>> load_installed(const hub::ModelStore& store,
                                                              const hub::Installed& installed,
                                                              const inference::ModelOptions& options) {
  const auto now = store.find(installed.manifest.id);
  if (!now) return fail(now.error());
  if (!*now || (*now)->manifest != installed.manifest) {
    return fail(ErrorCode::internal, installed.folder.string() +
                                         " was replaced or removed since the configuration was read; "
                                         "reload it: kill -HUP");
  }
  if (auto whole = hub::check_bytes(installed); !whole) return fail(std::move(whole).error());
  return inference::LocalModel::load(options);
}

}  // namespace embedrouter::apps
