#include "apps/models_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "api/model_list.h"
#include "apps/common.h"
#include "apps/router_client.h"

namespace embedrouter::apps {
namespace {

Result<void> print(std::string_view body) {
  auto list = api::decode_model_list(body);
  if (!list) return fail(std::move(list).error());
  for (const api::ModelSummary& model : *list) {
    std::cout << model.id << "\t" << model.dimensions << " dimensions\t" << model.context_length
              << " tokens\t$" << model.price_prompt << " per token\n";
  }
  return {};
}

int models(const RouterOptions& options) {
  auto config = load(options.where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kUsage;
  }
  return ask(options, *config, {"GET", "/embeddings/models", {}}, print);
}

}  // namespace

void add_models_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("models", "List the models the router serves");
  auto options = std::make_shared<RouterOptions>();
  add_router_options(*command, *options);
  command->callback([=, &run] { run = [=] { return models(*options); }; });
}

}  // namespace embedrouter::apps
