#include "apps/embed_command.h"

#include <embedrouter/local.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "api/vector_text.h"
#include "apps/command_input.h"
#include "apps/common.h"
#include "apps/progress_bar.h"
#include "apps/router_client.h"
#include "base/ascii.h"
#include "catalog/catalog.h"
#include "hub/model_store.h"

namespace embedrouter::apps {
namespace {

constexpr std::string_view kWithout = ", or use --local";

struct Options : RouterOptions {
  std::vector<std::string> texts, files;
  std::string model = std::string(catalog::kEmbeddedAlias);
  bool local = false;
};

void print_vector(std::span<const float> values) {
  std::string line;
  api::append_numbers(line, values);
  std::cout << line << '\n';
}

// The model of [embedded], or one that is installed.
Result<local::ModelOptions> local_options(const catalog::Config& config, const std::string& name) {
  const catalog::Config::Embedded& section = config.embedded;
  local::ModelOptions model{.folder = section.model_dir.string(),
                            .id = section.id,
                            .matryoshka = section.matryoshka,
                            .threads = section.threads,
                            .max_tokens = section.max_tokens,
                            .queue_tokens = section.queue_tokens};
  if (section.precision == "fp32") model.precision = local::Precision::fp32;
  if (section.precision == "bf16") model.precision = local::Precision::bf16;
  if (section.precision == "int8") model.precision = local::Precision::int8;
  if (same_ignoring_case(name, catalog::kEmbeddedAlias) ||
      same_ignoring_case(name, catalog::embedded_id(section)))
    return model;
  auto installed = hub::ModelStore(catalog::models_path(config)).find(name);
  if (!installed) return fail(std::move(installed).error());
  if (!*installed)
    return fail(ErrorCode::model_not_found,
                name + " is not installed here; `embedrouter models add` installs models");
  if (auto whole = hub::check_bytes(**installed); !whole) return fail(std::move(whole).error());
  model.folder = (*installed)->folder.string();
  model.id = (*installed)->manifest.id;
  model.matryoshka.clear();
  model.max_tokens = 0;  // each has its own limit
  return model;
}

// In this process: no router, no key, no network.
Result<RouterClient> open_here(const catalog::Config& config, const std::string& name) {
  const auto model = local_options(config, name);
  if (!model) return fail(model.error());
  auto client = local::open(*model, {.retries = sdk::RetryConfig::none(), .timeout = {}});
  if (!client) return fail(ErrorCode::internal, client.error().message());
  return RouterClient{"", *std::move(client)};
}

// A text that fails is a `null` among the lines, so that the others keep their place.
int print(const Options& options, const RouterClient& router, const sdk::EmbedAllResult& all) {
  constexpr std::size_t kMostTold = 10;
  auto failure = all.failures.begin();
  for (std::size_t i = 0; i < all.vectors.rows(); ++i) {
    if (failure == all.failures.end() || failure->item != i) {
      print_vector(all.vectors.row(i));
      continue;
    }
    std::cout << "null\n";
    ++failure;
  }
  int status = kOk;
  for (std::size_t i = 0; i < std::min(all.failures.size(), kMostTold); ++i) {
    std::cerr << "text " << all.failures[i].item << ": ";
    const int said = complain(options, router, all.failures[i].error);
    if (i == 0) status = said;
  }
  if (all.failures.size() > kMostTold)
    std::cerr << "and " << all.failures.size() - kMostTold << " more texts\n";
  return status;
}

// Any number of texts, in as many requests as they take.
int embed_all(const Options& options, const RouterClient& router, sdk::EmbedAllOptions how,
              const std::vector<std::string>& texts) {
  ProgressBar bar;
  if (texts.size() > how.batch_items) {
    how.progress = [&bar](std::size_t done, std::size_t all) {
      bar.show(static_cast<double>(done) / static_cast<double>(all), fmt::format("{}/{} texts", done, all));
    };
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  auto all = router.client.embeddings().embed_all(views, how);
  bar.clear();
  return all ? print(options, router, *all) : complain(options, router, all.error(), kWithout);
}

int print_answer(const Options& options, const RouterClient& router, std::vector<std::string> texts) {
  const auto answer =
      router.client.embeddings().generate({.input = std::move(texts), .model = options.model}).get();
  if (!answer) return complain(options, router, answer.error(), kWithout);
  std::cout << answer->json() << '\n';
  return kOk;
}

int embed(const Options& options) {
  auto config = load(options.where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kUsage;
  }
  auto texts = read_texts(options.texts, options.files);
  if (!texts) {
    std::cerr << texts.error().message() << "\n";
    return kUsage;
  }
  sdk::EmbedAllOptions how;
  how.model = options.model;
  // One request among several is worth another try.
  sdk::RetryConfig retries = sdk::RetryConfig::none();
  if (!options.json && texts->size() > how.batch_items)
    retries = {.status_codes = {"429", "5XX"}, .max_attempts = 4};
  auto router = options.local ? open_here(*config, options.model) : find_router(options, *config, retries);
  if (!router) {
    std::cerr << router.error().message() << "\n";
    if (!options.local) return kAuth;
    return router.error().code() == ErrorCode::model_not_found ? kNotFound : kFailure;
  }
  return options.json ? print_answer(options, *router, *std::move(texts))
                      : embed_all(options, *router, std::move(how), *texts);
}

}  // namespace

void add_embed_command(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("embed", "Embed texts: arguments, files, or standard input, a text a line");
  auto options = std::make_shared<Options>();
  command->add_option("texts", options->texts, "Texts; - reads them from standard input, one a line");
  command->add_option("--file", options->files, "File of texts, one a line; may be repeated")
      ->type_name("FILE");
  command->add_option("--model", options->model, "Model or alias")->capture_default_str();
  add_router_options(*command, *options);
  command->add_flag("--local", options->local, "Embed in this process, without a router");
  command->callback([=, &run] { run = [=] { return embed(*options); }; });
}

}  // namespace embedrouter::apps
