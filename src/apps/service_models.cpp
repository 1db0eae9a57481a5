// The models inside the router: which there are, and what becomes of them.

#include <malloc.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "apps/service.h"
#include "base/ascii.h"

namespace embedrouter::apps {
namespace {

std::string in_mebibytes(std::uint64_t bytes) {
  return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB";
}

bool is_configured(const catalog::Config& config, std::string_view id) {
  return std::ranges::any_of(config.models, [&](const catalog::ModelConfig& model) {
    const auto same = [&](const std::string& name) { return same_ignoring_case(name, id); };
    return same(model.id) || std::ranges::any_of(model.aliases, same);
  });
}

// The bytes it was installed with, or the reason there is no model.
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

void add_totals(inference::LocalModel::Load& sum, const inference::LocalModel::Load& more) {
  sum.batches += more.batches;
  sum.batch_tokens += more.batch_tokens;
  sum.texts += more.texts;
}

}  // namespace

inference::ModelOptions model_options(const catalog::Config::Embedded& section) {
  inference::ModelOptions options;
  options.folder = section.model_dir;
  if (section.precision == "fp32") options.precision = inference::Precision::fp32;
  if (section.precision == "bf16") options.precision = inference::Precision::bf16;
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

Result<EmbeddedModels> Service::models_for(const catalog::Config& config) {
  EmbeddedModels models;
  if (!config.embedded.enabled) return models;
  auto standing = standing_model(config.embedded);
  if (!standing) return fail(std::move(standing).error());
  auto on_demand = on_demand_models(config);
  if (!on_demand) return fail(std::move(on_demand).error());
  models.standing = *std::move(standing);
  models.on_demand = *std::move(on_demand);
  return models;
}

Result<std::shared_ptr<EmbeddedModel>> Service::standing_model(const catalog::Config::Embedded& section) {
  const inference::ModelOptions options = model_options(section);
  if (current_ && current_->embedded().standing && current_->embedded().standing->options == options)
    return current_->embedded().standing;
  auto model = inference::LocalModel::load(options);
  if (!model) return fail(std::move(model).error());
  return keep({options, {}, *std::move(model)});
}

// Those the configuration names must be there and sound; of all that are installed, what is not is left out.
Result<std::vector<std::shared_ptr<EmbeddedModel>>> Service::on_demand_models(const catalog::Config& config) {
  std::vector<std::string> faults;
  std::vector<hub::Installed> installed = hub::ModelStore(catalog::models_path(config)).list(faults);
  for (const std::string& fault : faults) log_.error("model_left_out", {{"reason", fault}});
  const auto is_default = [](const hub::Installed& model) {
    return same_ignoring_case(model.manifest.id, catalog::kEmbeddedModelId);
  };
  std::erase_if(installed, is_default);

  std::vector<std::shared_ptr<EmbeddedModel>> models;
  if (!config.embedded.models) {
    for (const hub::Installed& each : installed) {
      auto model = on_demand_model(config, each);
      if (model) {
        models.push_back(*std::move(model));
      } else {
        log_.error("model_left_out", {{"model", each.manifest.id}, {"reason", model.error().message()}});
      }
    }
    return models;
  }
  for (const std::string& id : *config.embedded.models) {
    const auto found = std::ranges::find_if(
        installed, [&](const hub::Installed& each) { return same_ignoring_case(each.manifest.id, id); });
    if (found == installed.end()) {
      return fail(ErrorCode::invalid_request,
                  "[embedded] models: " + id + " is not installed; run: embedrouter models add " + id);
    }
    auto model = on_demand_model(config, *found);
    if (!model)
      return fail(ErrorCode::invalid_request, "[embedded] models: " + id + ": " + model.error().message());
    models.push_back(*std::move(model));
  }
  return models;
}

Result<std::shared_ptr<EmbeddedModel>> Service::on_demand_model(const catalog::Config& config,
                                                                const hub::Installed& installed) {
  const std::string& id = installed.manifest.id;
  const inference::ModelOptions options = model_options(config.embedded, id, installed.folder);
  if (is_configured(config, id)) {
    return fail(ErrorCode::invalid_request,
                "a [[model]] of the configuration has this name; install it under another, with --id");
  }
  if (auto sound = hub::check_sizes(installed); !sound) return fail(std::move(sound).error());
  auto inspected = inference::LocalModel::inspect(options);
  if (!inspected) return fail(std::move(inspected).error());
  if (inspected->bytes > config.embedded.memory) {
    return fail(ErrorCode::invalid_request, "it takes " + in_mebibytes(inspected->bytes) +
                                                ", more than [embedded] memory, which is " +
                                                in_mebibytes(config.embedded.memory));
  }
  if (current_) {
    for (const auto& known : current_->embedded().on_demand) {
      if (known->options == options && known->manifest == installed.manifest) return known;
    }
  }
  const hub::ModelStore store(catalog::models_path(config));
  auto model = pool_.add({id, std::move(inspected->facts), inspected->bytes, options.queue_tokens,
                          [=] { return load_installed(store, installed, options); }});
  return keep({options, installed.manifest, std::move(model)});
}

std::shared_ptr<EmbeddedModel> Service::keep(EmbeddedModel made) {
  const auto end_in_background = [this](EmbeddedModel* unused) {
    asio::post(background_, [this, unused] { end_model(unused); });
  };
  std::shared_ptr<EmbeddedModel> kept(new EmbeddedModel(std::move(made)), end_in_background);
  const std::lock_guard lock(models_mutex_);
  std::erase_if(models_, [](const std::weak_ptr<EmbeddedModel>& old) { return old.expired(); });
  models_.emplace_back(kept);
  return kept;
}

void Service::end_model(EmbeddedModel* unused) {
  std::unique_ptr<EmbeddedModel> owned(unused);
  if (owned->model == nullptr) return;  // the service is ending
  {
    const std::lock_guard lock(models_mutex_);
    add_totals(ended_models_, owned->model->load_now());
  }
  owned.reset();
  malloc_trim(0);  // its weights, which lie in pieces between what others hold, go back to the system
}

inference::LocalModel::Load Service::model_totals() const {
  const std::lock_guard lock(models_mutex_);
  inference::LocalModel::Load sum = ended_models_;
  for (const auto& model : models_) {
    if (const auto used = model.lock()) add_totals(sum, used->model->load_now());
  }
  return sum;
}

Counter& Service::model_loads(bool good) {
  return metrics_.counter("embedrouter_model_loads_total", "Loads of models that are in memory on demand",
                          {{"outcome", good ? "ok" : "error"}});
}

Counter& Service::model_unloads(bool idle) {
  return metrics_.counter("embedrouter_model_unloads_total", "Times one left the memory, by why",
                          {{"cause", idle ? "idle" : "memory"}});
}

void Service::note(const inference::PoolEvent& event) {
  using enum inference::PoolEvent::Kind;
  const bool good = event.kind == loaded;
  if (good || event.kind == failed) {
    model_loads(good).Increment();
  } else {
    model_unloads(event.kind == idle).Increment();
  }
  if (event.kind == failed) {
    log_.error("model_load_failed", {{"model", event.model}, {"reason", event.error->message()}});
  } else if (good) {
    const double ms = std::chrono::duration<double, std::milli>(event.took).count();
    log_.info("model_loaded", {{"model", event.model}, {"memory_bytes", event.bytes}, {"ms", ms}});
  } else {
    log_.info("model_unloaded", {{"model", event.model}, {"cause", event.kind == idle ? "idle" : "memory"}});
  }
}

}  // namespace embedrouter::apps
