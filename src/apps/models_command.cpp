#include "apps/models_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "api/model_list.h"
#include "apps/common.h"
#include "apps/http_call.h"

namespace embedrouter::apps {
namespace {

struct Options {
  Where where;
  std::string server;
  bool json = false;
};

int models(const Options& options) {
  auto config = load(options.where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kUsage;
  }
  auto target = find_target(options.server, *config);
  if (!target) {
    std::cerr << target.error().message() << "\n";
    return kAuth;
  }
  auto response = call(*target, "GET", "/embeddings/models", {});
  if (!response) {
    std::cerr << "no answer from " << target->base_url << ": " << response.error().message()
              << ". Start it with `embedrouter serve`\n";
    return kTransport;
  }
  if (options.json) std::cout << response->body->view() << '\n';
  if (response->status != 200) {
    if (!options.json) std::cerr << error_message(*response) << "\n";
    return exit_for_status(response->status);
  }
  if (options.json) return kOk;
  auto list = api::decode_model_list(response->body->view());
  if (!list) {
    std::cerr << list.error().message() << "\n";
    return kUpstream;
  }
  for (const api::ModelSummary& model : *list) {
    std::cout << model.id << "\t" << model.dimensions << " dimensions\t" << model.context_length
              << " tokens\t$" << model.price_prompt << " per token\n";
  }
  return kOk;
}

}  // namespace

void add_models_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("models", "List the models the router serves");
  auto options = std::make_shared<Options>();
  command->add_option("--server", options->server,
                      "Base URL of the router, e.g. http://127.0.0.1:8080/api/v1");
  command->add_option("--config", options->where.config_file, "Configuration file (TOML)");
  command->add_option("--data-dir", options->where.data_dir, "Folder of keys and models");
  command->add_flag("--json", options->json, "Print the whole answer");
  command->callback([=, &run] { run = [=] { return models(*options); }; });
}

}  // namespace embedrouter::apps
