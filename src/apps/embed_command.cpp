#include "apps/embed_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "api/embed_reply.h"
#include "api/vector_text.h"
#include "apps/command_input.h"
#include "apps/common.h"
#include "apps/installed_models.h"
#include "apps/local_embedding.h"
#include "apps/progress_bar.h"
#include "apps/router_client.h"
#include "apps/service.h"
#include "base/ascii.h"
#include "hub/model_store.h"

namespace embedrouter::apps {
namespace {

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

struct Embedded {
  inference::Vectors vectors;
  std::uint32_t width;
  std::string model;
};

// The model of [embedded], or one that is installed.
Result<inference::ModelOptions> options_of(const catalog::Config& config, const std::string& name) {
  if (same_ignoring_case(name, catalog::kEmbeddedAlias) ||
      same_ignoring_case(name, catalog::embedded_id(config.embedded)))
    return model_options(config.embedded);
  auto installed = hub::ModelStore(catalog::models_path(config)).find(name);
  if (!installed) return fail(std::move(installed).error());
  if (!*installed)
    return fail(ErrorCode::model_not_found,
                name + " is not installed here; `embedrouter models add` installs models");
  if (auto whole = hub::check_bytes(**installed); !whole) return fail(std::move(whole).error());
  return model_options(config.embedded, (*installed)->manifest.id, (*installed)->folder);
}

// The same in this process: no router, no key, no network.
Result<Embedded> embed_here(const catalog::Config& config, const std::string& name,
                            const std::vector<std::string>& texts) {
  auto options = options_of(config, name);
  if (!options) return fail(std::move(options).error());
  auto model = inference::LocalModel::load(*options);
  if (!model) return fail(std::move(model).error());
  auto vectors = embed_now(**model, texts);
  if (!vectors) return fail(std::move(vectors).error());
  return Embedded{*std::move(vectors), (*model)->facts().width, options->name};
}

int embed_locally(const Options& options, const catalog::Config& config,
                  const std::vector<std::string>& texts) {
  auto embedded = embed_here(config, options.model, texts);
  if (!embedded) {
    std::cerr << embedded.error().message() << "\n";
    return exit_for_status(embedded.error().http_status()) == kNotFound ? kNotFound : kFailure;
  }
  const auto& [vectors, width, model] = *embedded;
  api::EmbedReply reply;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::span<const float> values(vectors.values.get() + i * width, width);
    if (!options.json) print_vector(values);
    reply.data.push_back({values, static_cast<std::int64_t>(i)});
    reply.usage.prompt_tokens += vectors.tokens[i];
  }
  if (!options.json) return kOk;
  reply.usage.total_tokens = reply.usage.prompt_tokens;
  reply.model = model;
  reply.provider = "Local";
  api::ResponseInfo info;
  info.id = "gen-emb-local";
  std::cout << api::encode_embed_response(reply, api::EncodingFormat::float_numbers, info).to_string()
            << '\n';
  return kOk;
}

// A text that fails is a `null` among the lines, so that the others keep their place.
int print(const RouterClient& router, const sdk::EmbedAllResult& all) {
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
    const int said = complain(router, all.failures[i].error);
    if (i == 0) status = said;
  }
  if (all.failures.size() > kMostTold)
    std::cerr << "and " << all.failures.size() - kMostTold << " more texts\n";
  return status;
}

// Any number of texts, in as many requests as they take. One request among several is worth another try.
int embed_all(const Options& options, const catalog::Config& config, const std::vector<std::string>& texts,
              std::string_view without) {
  sdk::EmbedAllOptions how;
  how.model = options.model;
  const bool long_input = texts.size() > how.batch_items;
  sdk::RetryConfig retries = sdk::RetryConfig::none();
  if (long_input) retries = {.status_codes = {"429", "5XX"}, .max_attempts = 4};
  auto router = find_router(options, config, retries);
  if (!router) {
    std::cerr << router.error().message() << "\n";
    return kAuth;
  }
  ProgressBar bar;
  if (long_input) {
    how.progress = [&bar](std::size_t done, std::size_t all) {
      bar.show(static_cast<double>(done) / static_cast<double>(all), fmt::format("{}/{} texts", done, all));
    };
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  auto all = router->client.embeddings().embed_all(views, how);
  bar.clear();
  return all ? print(*router, *all) : complain(*router, all.error(), without);
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
  if (options.local) return embed_locally(options, *config, *texts);
  constexpr std::string_view kWithout = ", or use --local";
  if (!options.json) return embed_all(options, *config, *texts, kWithout);
  return ask(options, *config, {"POST", "/embeddings", embeddings_body(options.model, *texts)}, {}, kWithout);
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
