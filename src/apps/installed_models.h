#pragma once
// Which models a configuration has inside the router, and how they are loaded.

#include <string>
#include <string_view>
#include <vector>

#include "catalog/config.h"
#include "hub/model_store.h"
#include "inference/local_model.h"
#include "inference/model_pool.h"

namespace embedrouter::apps {

// Of [embedded] model_dir.
inference::ModelOptions model_options(const catalog::Config::Embedded& section);
// Of a model that is installed in `folder`.
inference::ModelOptions model_options(const catalog::Config::Embedded& section, const std::string& id,
                                      const std::filesystem::path& folder);
inference::PoolOptions pool_options(const catalog::Config::Embedded& section);

// Whether `id` is the model of [embedded] model_dir.
bool is_standing(const catalog::Config& config, std::string_view id);
// Whether [embedded] models lets an installed model be served: it names it, or names none.
bool is_chosen(const catalog::Config& config, std::string_view id);

// The right to change a model, after a word on standard error where another program has it.
Result<hub::ModelStore::Change> begin_change(const hub::ModelStore& store, const std::string& id);

// Those beside the one of [embedded] model_dir that may be served. What cannot be read is told in `faults`.
std::vector<hub::Installed> installed_models(const catalog::Config& config, std::vector<std::string>& faults);
// The one of `installed` that [embedded] models calls `id`. The failure says how to get it.
Result<hub::Installed> named_model(const std::vector<hub::Installed>& installed, const std::string& id);
// What loading it would come to. Fails where it may not be served: damaged, too large, or its name is taken.
Result<inference::Inspection> inspect_installed(const catalog::Config& config,
                                                const hub::Installed& installed);
// With every byte it was installed with, or the reason there is no model.
Result<std::unique_ptr<inference::LocalModel>> load_installed(const hub::ModelStore& store,
                                                              const hub::Installed& installed,
                                                              const inference::ModelOptions& options);

}  // namespace embedrouter::apps
