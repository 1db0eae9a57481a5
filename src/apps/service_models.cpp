// The models inside the router: what becomes of them.

#include <malloc.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "apps/service.h"

namespace embedrouter::apps {
namespace {

void add_totals(inference::LocalModel::Load& sum, const inference::LocalModel::Load& more) {
  sum.batches += more.batches;
  sum.batch_tokens += more.batch_tokens;
  sum.texts += more.texts;
}

}  // namespace

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
  const std::vector<hub::Installed> installed = installed_models(config, faults);
  for (const std::string& fault : faults) log_.error("model_left_out", {{"reason", fault}});

  std::vector<std::shared_ptr<EmbeddedModel>> models;
  if (config.embedded.models) {
    for (const std::string& id : *config.embedded.models) {
      const auto refuse = [&](const Error& error) {
        return fail(ErrorCode::invalid_request, "[embedded] models: " + id + ": " + error.message());
      };
      const auto named = named_model(installed, id);
      if (!named) return refuse(named.error());
      auto model = on_demand_model(config, *named);
      if (!model) return refuse(model.error());
      models.push_back(*std::move(model));
    }
    return models;
  }
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

Result<std::shared_ptr<EmbeddedModel>> Service::on_demand_model(const catalog::Config& config,
                                                                const hub::Installed& installed) {
  const std::string& id = installed.manifest.id;
  const inference::ModelOptions options = model_options(config.embedded, id, installed.folder);
  auto inspected = inspect_installed(config, installed);
  if (!inspected) return fail(std::move(inspected).error());
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
