#include "apps/embed_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "api/embed_reply.h"
#include "api/vector_text.h"
#include "apps/command_input.h"
#include "apps/common.h"
#include "apps/http_call.h"
#include "apps/local_embedding.h"
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

void print_vectors(const std::vector<api::Embedding>& data) {
  std::string line;
  for (const api::Embedding& embedding : data) {
    if (const auto* text = std::get_if<api::NumberText>(&embedding.vector)) {
      std::cout << text->json << '\n';
      continue;
    }
    line.clear();
    if (const auto* floats = std::get_if<std::span<const float>>(&embedding.vector))
      api::append_numbers(line, *floats);
    std::cout << line << '\n';
  }
}

Result<void> print(const net::ClientResponse& response) {
  auto reply = api::decode_embed_reply(*response.body);
  if (!reply) return fail(std::move(reply).error());
  print_vectors(reply->data);
  return {};
}

struct Embedded {
  inference::Vectors vectors;
  std::uint32_t width;
  std::string model;
};

// The default model, or one that is installed.
Result<inference::ModelOptions> options_of(const catalog::Config& config, const std::string& name) {
  if (same_ignoring_case(name, catalog::kEmbeddedAlias) ||
      same_ignoring_case(name, catalog::kEmbeddedModelId))
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
    reply.data.push_back({std::span(vectors.values.get() + i * width, width), static_cast<std::int64_t>(i)});
    reply.usage.prompt_tokens += vectors.tokens[i];
  }
  if (!options.json) {
    print_vectors(reply.data);
    return kOk;
  }
  reply.usage.total_tokens = reply.usage.prompt_tokens;
  reply.model = model;
  reply.provider = "Local";
  api::ResponseInfo info;
  info.id = "gen-emb-local";
  std::cout << api::encode_embed_response(reply, api::EncodingFormat::float_numbers, info).to_string()
            << '\n';
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
  if (options.local) return embed_locally(options, *config, *texts);
  return ask(options, *config, {"POST", "/embeddings", embeddings_body(options.model, *texts)}, print,
             ", or use --local");
}

}  // namespace

void add_embed_command(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("embed", "Embed texts: arguments, files, or standard input, a text a line");
  auto options = std::make_shared<Options>();
  command->add_option("texts", options->texts, "Texts; - reads them from standard input, one a line");
  command->add_option("--file", options->files, "File of texts, one a line; may be repeated");
  command->add_option("--model", options->model, "Model or alias")->capture_default_str();
  add_router_options(*command, *options);
  command->add_flag("--local", options->local, "Embed in this process, without a router");
  command->callback([=, &run] { run = [=] { return embed(*options); }; });
}

}  // namespace embedrouter::apps
