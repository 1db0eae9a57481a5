#include "apps/endpoints_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <iostream>
#include <memory>

#include "apps/common.h"
#include "base/json_text.h"
#include "ledger/fingerprints.h"

namespace embedrouter::apps {
namespace {

struct Options {
  Where where;
  std::vector<std::string> ids;
  bool json = false;
};

int complain(const Error& error) {
  std::cerr << error.message() << "\n";
  return error.code() == ErrorCode::not_found ? kNotFound : kFailure;
}

std::string json_of(const ledger::FingerprintRecord& record) {
  std::string json = R"({"endpoint":)";
  append_json_string(json, record.endpoint);
  json += R"(,"space":)";
  append_json_string(json, record.space);
  json += R"(,"upstream_model":)";
  append_json_string(json, record.upstream_model);
  json += R"(,"verdict":)";
  append_json_string(json, record.verdict);
  return json += fmt::format(R"(,"cosine":{},"canary":{},"noise":{},"changed_at":{},"released":{}}})",
                             record.cosine, record.canary, record.noise, record.changed_at, record.released);
}

int list(const Options& options, ledger::Fingerprints& store) {
  auto records = store.list();
  if (!records) return complain(records.error());
  if (options.json) {
    std::string json;
    for (const auto& record : *records) json += (json.empty() ? "" : ",") + json_of(record);
    std::cout << '[' << json << "]\n";
    return kOk;
  }
  if (records->empty()) std::cerr << "no endpoint has been measured; the first requests see to it\n";
  for (const auto& record : *records) {
    std::cout << fmt::format("{:<11}  {:.6f}  {:%Y-%m-%d %H:%M}  {}  {}{}\n", record.verdict, record.cosine,
                             fmt::gmtime(static_cast<std::time_t>(record.changed_at)), record.endpoint,
                             record.space, record.released ? "  (released)" : "");
  }
  return kOk;
}

int release(const Options& options, ledger::Fingerprints& store) {
  for (const std::string& id : options.ids) {
    if (auto done = store.release(id); !done) return complain(done.error());
    if (!options.json) std::cout << "released " << id << "; it is measured anew\n";
  }
  if (options.json) {
    std::string json;
    for (const std::string& id : options.ids) {
      if (!json.empty()) json += ',';
      append_json_string(json, id);
    }
    std::cout << R"({"released":[)" << json << "]}\n";
  }
  return kOk;
}

using Action = int (*)(const Options&, ledger::Fingerprints&);

int with_store(const Options& options, Action action) {
  auto config = load(options.where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kUsage;
  }
  const SystemClock clock;
  auto store = ledger::Fingerprints::open(catalog::database_path(*config), clock);
  if (!store) return complain(store.error());
  return action(options, *store);
}

}  // namespace

void add_endpoints_command(CLI::App& app, Run& run) {
  CLI::App* endpoints = app.add_subcommand("endpoints", "What is known of endpoints' vectors");
  endpoints->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help, Action action) {
    CLI::App* command = endpoints->add_subcommand(name, help);
    add_where(*command, options->where);
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([=, &run] { run = [=] { return with_store(*options, action); }; });
    return command;
  };
  add("list", "List endpoints with the verdict on their vectors", list);
  add("release", "Forget what endpoints' vectors were; a running router measures them anew within a second",
      release)
      ->add_option("id", options->ids, "Ids of endpoints, as list shows them")
      ->required();
}

}  // namespace embedrouter::apps
