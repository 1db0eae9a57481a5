#include "apps/doctor_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <sstream>

#include "apps/common.h"
#include "apps/cpu.h"
#include "apps/precision_report.h"
#include "apps/provider_keys.h"
#include "apps/service.h"
#include "ledger/first_key.h"
#include "ledger/keys.h"

namespace embedrouter::apps {
namespace {

// Prints a line per finding; counts what is wrong.
class Report {
 public:
  void good(std::string_view what, const std::string& text) {
    std::cout << "ok     " << what << ": " << text << '\n';
  }
  void wrong(std::string_view what, const std::string& text) {
    std::cout << "WRONG  " << what << ": " << text << '\n';
    ++faults_;
  }
  int faults() const { return faults_; }

 private:
  int faults_ = 0;
};

void check_model(const catalog::Config& config, Report& report) {
  if (!config.embedded.enabled) return report.good("embedded model", "switched off by the configuration");
  auto model = inference::LocalModel::load(model_options(config.embedded));
  if (!model) return report.wrong("embedded model", model.error().message());
  const inference::ModelFacts& facts = (*model)->facts();
  report.good("embedded model", config.embedded.model_dir.string() + ", " + std::to_string(facts.width) +
                                    " dimensions, at most " + std::to_string(facts.max_tokens) +
                                    " tokens a text");
  report.good("kernels", facts.precision + ", " + facts.kernels + ", " + std::to_string(facts.threads) +
                             " compute threads");
  model->reset();
  for (const std::string& line : measure_precisions(model_options(config.embedded)))
    report.good("precision", line);
}

void check_installed(const catalog::Config& config, Report& report) {
  std::vector<std::string> faults;
  for (const hub::Installed& model : hub::ModelStore(catalog::models_path(config)).list(faults)) {
    const std::string what = "installed model " + model.manifest.id;
    if (auto whole = hub::check_bytes(model); !whole) {
      report.wrong(what, whole.error().message());
      continue;
    }
    auto inspected =
        inference::LocalModel::inspect(model_options(config.embedded, model.manifest.id, model.folder));
    if (inspected) {
      report.good(what, model.folder.string() + ", " + std::to_string(inspected->facts.width) +
                            " dimensions, at most " + std::to_string(inspected->facts.max_tokens) +
                            " tokens a text, every file as it was installed");
    } else {
      report.wrong(what, inspected.error().message());
    }
  }
  for (const std::string& fault : faults) report.wrong("installed model", fault);
}

void check_keys(const catalog::Config& config, Report& report) {
  if (config.server.auth == catalog::Auth::none) return report.good("keys", "none needed (auth = \"none\")");
  if (!std::filesystem::exists(catalog::database_path(config))) {
    return report.wrong("keys", "there is no key yet; `embedrouter keys create` makes one");
  }
  auto store = ledger::KeyStore::open(catalog::database_path(config));
  if (!store) return report.wrong("keys", store.error().message());
  auto count = (*store)->size();
  if (!count) return report.wrong("keys", count.error().message());
  if (*count == 0) return report.wrong("keys", "there is no key yet; `embedrouter keys create` makes one");
  report.good("keys", std::to_string(*count) + " in " + catalog::database_path(config).string());
  if (auto kept = ledger::read_cli_key(config.server.data_dir); !kept)
    report.wrong("command-line key", kept.error().message());
}

void check_port(const catalog::Config& config, Report& report) {
  auto server = net::Server::listen(config.server.listen, net::ServerLimits{},
                                    {config.server.tls_cert_file, config.server.tls_key_file});
  if (server) {
    report.good("port", config.server.listen + " is free");
  } else {
    report.wrong("port", server.error().message() + " (if that is a running embedrouter, all is well)");
  }
}

void check_providers(const catalog::Config& config, Report& report) {
  for (const catalog::ProviderConfig& provider : config.providers) {
    const std::string what = "provider " + provider.slug;
    if (auto keys = keys_of(provider); !keys) {
      report.wrong(what, keys.error().message());
    } else {
      const std::size_t count = keys->size();
      const std::string with = count < 2 ? "a key" : std::to_string(count) + " keys";
      report.good(what, provider.base_url + (count == 0 ? ", without a key" : ", with " + with));
    }
  }
}

int doctor(const Where& where) {
  Report report;
  report.good("cpu", describe_cpu());
  std::ostringstream faults;
  auto config = load(where, faults);
  if (!config) {
    report.wrong("configuration", faults.str() + config.error().message());
    return kFailure;
  }
  report.good("configuration", where.config_file.empty() ? "defaults (no --config)" : where.config_file);
  check_model(*config, report);
  check_installed(*config, report);
  check_keys(*config, report);
  check_providers(*config, report);
  check_port(*config, report);
  std::cout << (report.faults() == 0 ? "all is well\n" : std::to_string(report.faults()) + " to mend\n");
  return report.faults() == 0 ? kOk : kFailure;
}

}  // namespace

void add_doctor_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("doctor", "Say what is wrong on this machine and how to mend it");
  auto where = std::make_shared<Where>();
  add_where(*command, *where);
  command->add_option("--listen", where->listen, "Address and port to check");
  command->callback([=, &run] { run = [=] { return doctor(*where); }; });
}

}  // namespace embedrouter::apps
