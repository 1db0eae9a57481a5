#include "apps/embed_command.h"

#include <CLI/CLI.hpp>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>

#include "api/embed_reply.h"
#include "api/vector_text.h"
#include "apps/command_input.h"
#include "apps/common.h"
#include "apps/http_call.h"
#include "apps/service.h"

namespace embedrouter::apps {
namespace {

struct Options {
  Where where;
  std::vector<std::string> texts, files;
  std::string model = std::string(catalog::kEmbeddedAlias);
  std::string server;
  bool json = false, local = false;
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

int embed_through_router(const Options& options, const catalog::Config& config,
                         const std::vector<std::string>& texts) {
  auto target = find_target(options.server, config);
  if (!target) {
    std::cerr << target.error().message() << "\n";
    return kAuth;
  }
  auto response = call(*target, "POST", "/embeddings", embeddings_body(options.model, texts));
  if (!response) {
    std::cerr << "no answer from " << target->base_url << ": " << response.error().message()
              << ". Start it with `embedrouter serve`, or use --local\n";
    return kTransport;
  }
  if (options.json) std::cout << response->body->view() << '\n';
  if (response->status != 200) {
    if (!options.json) std::cerr << error_message(*response) << "\n";
    return exit_for_status(response->status);
  }
  if (options.json) return kOk;
  auto reply = api::decode_embed_reply(*response->body);
  if (!reply) {
    std::cerr << reply.error().message() << "\n";
    return kUpstream;
  }
  print_vectors(reply->data);
  return kOk;
}

struct Embedded {
  inference::Vectors vectors;
  std::uint32_t width;
};

// The same in this process: no router, no key, no network.
Result<Embedded> embed_here(const catalog::Config& config, const std::vector<std::string>& texts) {
  auto model = inference::LocalModel::load(model_options(config.embedded));
  if (!model) return fail(std::move(model).error());
  std::mutex mutex;
  std::condition_variable ready;
  std::optional<Result<inference::Vectors>> vectors;
  inference::Job job;
  job.texts.assign(texts.begin(), texts.end());
  (*model)->submit(std::move(job), [&](Result<inference::Vectors> done) {
    const std::lock_guard lock(mutex);
    vectors = std::move(done);
    ready.notify_one();
  });
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return vectors.has_value(); });
  if (!*vectors) return fail(std::move(*vectors).error());
  return Embedded{std::move(**vectors), (*model)->facts().width};
}

int embed_locally(const Options& options, const catalog::Config& config,
                  const std::vector<std::string>& texts) {
  auto embedded = embed_here(config, texts);
  if (!embedded) {
    std::cerr << embedded.error().message() << "\n";
    return kFailure;
  }
  const auto& [vectors, width] = *embedded;
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
  reply.model = config.embedded.id.empty() ? std::string(catalog::kEmbeddedModelId) : config.embedded.id;
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
  return options.local ? embed_locally(options, *config, *texts)
                       : embed_through_router(options, *config, *texts);
}

}  // namespace

void add_embed_command(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("embed", "Embed texts: arguments, files, or standard input, a text a line");
  auto options = std::make_shared<Options>();
  command->add_option("texts", options->texts, "Texts; - reads them from standard input, one a line");
  command->add_option("--file", options->files, "File of texts, one a line; may be repeated");
  command->add_option("--model", options->model, "Model or alias")->capture_default_str();
  command->add_option("--server", options->server,
                      "Base URL of the router, e.g. http://127.0.0.1:8080/api/v1");
  command->add_option("--config", options->where.config_file, "Configuration file (TOML)");
  command->add_option("--data-dir", options->where.data_dir, "Folder of keys and models");
  command->add_flag("--json", options->json, "Print the whole answer");
  command->add_flag("--local", options->local, "Embed in this process, without a router");
  command->callback([=, &run] { run = [=] { return embed(*options); }; });
}

}  // namespace embedrouter::apps
