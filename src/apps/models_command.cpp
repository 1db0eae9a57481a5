#include "apps/models_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "api/json_members.h"
#include "api/model_list.h"
#include "apps/add_model.h"
#include "apps/common.h"
#include "apps/installed_models.h"
#include "apps/router_client.h"
#include "hub/model_store.h"

namespace embedrouter::apps {
namespace {

struct ListOptions : RouterOptions {
  bool installed = false;
};

struct RemoveOptions {
  Where where;
  std::string id;
};

Result<void> print(std::string_view body) {
  auto list = api::decode_model_list(body);
  if (!list) return fail(std::move(list).error());
  for (const api::ModelSummary& model : *list) {
    std::cout << model.id << "\t" << model.dimensions << " dimensions\t" << model.context_length
              << " tokens\t$" << model.price_prompt << " per token\n";
  }
  return {};
}

std::string json_of(const std::vector<hub::Installed>& models) {
  std::string json = "[";
  for (const hub::Installed& model : models) {
    json += json.size() == 1 ? "{" : ",{";
    api::members::text(json, "id", model.manifest.id);
    api::members::text(json, "source", model.manifest.source);
    api::members::text(json, "revision", model.manifest.revision);
    api::members::text(json, "commit", model.manifest.commit);
    api::members::number(json, "bytes", static_cast<std::int64_t>(model.manifest.bytes()));
    api::members::number(json, "added", model.manifest.added);
    api::members::text(json, "folder", model.folder.string());
    json += '}';
  }
  return json + "]";
}

int list_installed(const ListOptions& options, const catalog::Config& config) {
  std::vector<std::string> faults;
  const auto models = hub::ModelStore(catalog::models_path(config)).list(faults);
  if (options.json) {
    std::cout << json_of(models) << "\n";
  } else {
    for (const hub::Installed& model : models) {
      const std::string commit = model.manifest.commit.empty() ? "" : " at commit " + model.manifest.commit;
      std::cout << model.manifest.id << "\t" << hub::in_mebibytes(model.manifest.bytes()) << "\tfrom "
                << model.manifest.source << commit << "\n";
    }
    if (models.empty())
      std::cerr << "none beside the default model; `embedrouter models add author/slug` installs one\n";
  }
  for (const std::string& fault : faults) std::cerr << fault << "\n";
  return faults.empty() ? kOk : kFailure;
}

int list(const ListOptions& options) {
  auto config = load(options.where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kUsage;
  }
  if (options.installed) return list_installed(options, *config);
  return ask(options, *config, {"GET", "/embeddings/models", {}}, print);
}

int remove(const RemoveOptions& options) {
  auto config = load(options.where, std::cerr);
  if (!config || !hub::ModelStore::is_id(options.id)) {
    std::cerr << (config ? "\"" + options.id + "\" is no model's id, which is author/slug"
                         : config.error().message())
              << "\n";
    return kUsage;
  }
  if (is_standing(*config, options.id)) {
    std::cerr << options.id
              << " is the model of [embedded] itself, without which the router does not start; to do "
              << "without embedded models, set enabled = false there\n";
    return kUsage;
  }
  if (config->embedded.models && is_chosen(*config, options.id)) {
    std::cerr << "[embedded] models of the configuration names " << options.id
              << ", and without it the router would not start; take it out there first\n";
    return kUsage;
  }
  const hub::ModelStore store(catalog::models_path(*config));
  const auto failed = [](const Error& error) {
    std::cerr << error.message() << "\n";
    return kFailure;
  };
  const auto change = begin_change(store, options.id);
  if (!change) return failed(change.error());
  const auto removed = store.remove(*change);
  if (!removed) return failed(removed.error());
  if (!*removed) {
    std::cerr << options.id << " is not installed; `embedrouter models list --installed` shows what is\n";
    return kNotFound;
  }
  std::cout << "removed " << options.id << "\n";
  std::cerr << "a router that runs serves it until it reads its configuration again: "
               "kill -HUP $(pidof embedrouter)\n";
  return kOk;
}

}  // namespace

void add_models_command(CLI::App& app, Run& run) {
  CLI::App* models = app.add_subcommand("models", "List, add and remove models");
  models->require_subcommand(0, 1);
  auto listed = std::make_shared<ListOptions>();
  add_router_options(*models, *listed);
  models->callback([=, &run] {
    if (models->get_subcommands().empty()) run = [=] { return list(*listed); };
  });

  CLI::App* listing = models->add_subcommand("list", "List the models the router serves");
  add_router_options(*listing, *listed);
  listing->add_flag("--installed", listed->installed, "List what is installed here; no router is asked");
  listing->callback([=, &run] { run = [=] { return list(*listed); }; });

  CLI::App* adding = models->add_subcommand("add", "Install a model for the embedding engine");
  auto added = std::make_shared<AddOptions>();
  adding->add_option("model", added->what, "A model of the hub, author/slug, or a folder, /… or ./…")
      ->required();
  adding->add_option("--id", added->id, "The name to serve it under, author/slug");
  adding->add_option("--revision", added->revision, "Branch, tag or commit of the hub (default: main)");
  add_where(*adding, added->where);
  adding->callback([=, &run] { run = [=] { return add_model(*added); }; });

  CLI::App* removing = models->add_subcommand("remove", "Remove an installed model");
  auto removed = std::make_shared<RemoveOptions>();
  removing->add_option("id", removed->id, "Its id, author/slug")->required();
  add_where(*removing, removed->where);
  removing->callback([=, &run] { run = [=] { return remove(*removed); }; });
}

}  // namespace embedrouter::apps
