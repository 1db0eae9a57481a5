#include "apps/keys_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <iostream>
#include <memory>

#include "apps/common.h"
#include "apps/service.h"
#include "base/json_text.h"
#include "ledger/keys.h"

namespace embedrouter::apps {
namespace {

struct Options {
  Where where;
  std::string name = "unnamed", hash;
  bool management = false, json = false;
};

int complain(const Error& error) {
  std::cerr << error.message() << "\n";
  return error.code() == ErrorCode::not_found ? kNotFound : kFailure;
}

std::string date_of(std::int64_t unix_seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(static_cast<std::time_t>(unix_seconds)));
}

std::string json_of(const ledger::KeyRecord& record) {
  std::string json = R"({"hash":)";
  append_json_string(json, record.hash);
  json += R"(,"label":)";
  append_json_string(json, record.label);
  json += R"(,"name":)";
  append_json_string(json, record.name);
  json += R"(,"management":)";
  json += record.management ? "true" : "false";
  json += R"(,"created_at":)" + std::to_string(record.created_at);
  return json += '}';
}

int create(const Options& options, ledger::KeyStore& store) {
  auto made = store.create(options.name, options.management);
  if (!made) return complain(made.error());
  if (options.json) {
    std::cout << R"({"key": ")" << made->key << R"(", "hash": ")" << made->record.hash << "\"}\n";
  } else {
    std::cout << made->key << "\n";
    std::cerr << "shown this once; hash " << made->record.hash << "\n";
  }
  return kOk;
}

int list(const Options& options, ledger::KeyStore& store) {
  auto records = store.list();
  if (!records) return complain(records.error());
  if (options.json) {
    std::string json;
    for (const ledger::KeyRecord& record : *records) json += (json.empty() ? "" : ",") + json_of(record);
    std::cout << '[' << json << "]\n";
    return kOk;
  }
  if (records->empty()) std::cerr << "no keys; `embedrouter keys create` makes one\n";
  for (const ledger::KeyRecord& record : *records) {
    std::cout << fmt::format("{}  {}  {}  {}  {}\n", record.hash.substr(0, 12), record.label,
                             date_of(record.created_at), record.management ? "management" : "inference ",
                             record.name);
  }
  return kOk;
}

int revoke(const Options& options, ledger::KeyStore& store) {
  auto record = store.revoke(options.hash);
  if (!record) return complain(record.error());
  if (options.json) {
    std::cout << json_of(*record) << "\n";
  } else {
    std::cout << "revoked " << record->label << (record->name.empty() ? "" : " (" + record->name + ")")
              << "\n";
  }
  return kOk;
}

using Action = int (*)(const Options&, ledger::KeyStore&);

int with_store(const Options& options, Action action) {
  auto config = load(options.where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kUsage;
  }
  auto store = ledger::KeyStore::open(catalog::database_path(*config));
  if (!store) return complain(store.error());
  return action(options, **store);
}

}  // namespace

void add_keys_command(CLI::App& app, Run& run) {
  CLI::App* keys = app.add_subcommand("keys", "Make, list and revoke the keys that callers use");
  keys->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help, Action action) {
    CLI::App* command = keys->add_subcommand(name, help);
    add_where(*command, options->where);
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([=, &run] { run = [=] { return with_store(*options, action); }; });
    return command;
  };
  CLI::App* making = add("create", "Make a key; it is shown once", create);
  making->add_option("--name", options->name, "What it is for");
  making->add_flag("--management", options->management, "A key that manages but cannot embed");
  add("list", "List keys", list);
  add("revoke", "Revoke a key; a running router refuses it within a second", revoke)
      ->add_option("hash", options->hash, "Hash, at least 8 first digits of it, or label")
      ->required();
}

}  // namespace embedrouter::apps
