#include "apps/serve_command.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>

#include "apps/common.h"
#include "apps/config_check.h"
#include "apps/service.h"
#include "ledger/first_key.h"

namespace embedrouter::apps {
namespace {

constexpr std::chrono::seconds kDrainGrace{30};

// Bodies and answers come and go by the megabyte. The defaults give them back to the system each time and
// fault them in again, a fifth of a proxied request's CPU.
void keep_freed_memory() {
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

// Many connections need many descriptors; the soft limit may be raised to the hard one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// On a terminal a first key is made and shown, so that the first request needs no other command.
Result<void> offer_first_key(const catalog::Config& config) {
  if (config.server.auth == catalog::Auth::none || isatty(STDOUT_FILENO) == 0) return {};
  auto store = ledger::KeyStore::open(catalog::database_path(config));
  if (!store) return fail(std::move(store).error());
  auto first = ledger::make_first_key(**store, config.server.data_dir);
  if (!first) return fail(std::move(first).error());
  if (*first) std::cout << "first key, shown once: " << (*first)->key << "\n";
  return {};
}

int check(const Where& where, const catalog::Config& config) {
  if (const auto faults = check_named(config); !faults.empty()) {
    print_faults(where, faults, std::cerr);
    std::cerr << describe_faults(faults) << "\n";
    return kFailure;
  }
  std::cout << "the configuration is good: " << config.models.size() << " models, " << config.providers.size()
            << " providers besides the embedded one\n";
  return kOk;
}

int serve(const Where& where, bool only_check) {
  auto config = load(where, std::cerr);
  if (!config) {
    std::cerr << config.error().message() << "\n";
    return kFailure;
  }
  if (only_check) return check(where, *config);
  raise_descriptor_limit();
  keep_freed_memory();
  if (auto offered = offer_first_key(*config); !offered) {
    std::cerr << offered.error().message() << "\n";
    return kFailure;
  }
  Log log(level_of(config->telemetry.log_level));
  // Before the router starts: a SIGHUP that comes meanwhile waits for it, and does not end it.
  asio::io_context signals_io{1};
  asio::signal_set hangups(signals_io, SIGHUP);
  auto service = Service::start(*config, log);
  if (!service) {
    std::cerr << "cannot start: " << service.error().message() << "\n";
    return kFailure;
  }

  asio::signal_set signals(signals_io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) (*service)->drain(kDrainGrace);
  });
  std::function<void(const boost::system::error_code&, int)> on_hangup =
      [&](const boost::system::error_code& error, int) {
        if (error) return;
        (*service)->reload([where] { return read(where); });
        hangups.async_wait(on_hangup);
      };
  hangups.async_wait(on_hangup);
  std::thread signals_thread([&] { signals_io.run(); });
  const std::string scheme = config->server.tls_cert_file.empty() ? "http" : "https";
  const std::string& listen = config->server.listen;
  std::cout << "listening on " << scheme << "://" << listen.substr(0, listen.rfind(':')) << ':'
            << (*service)->port() << "\n"
            << std::flush;
  (*service)->run();
  signals_io.stop();
  signals_thread.join();
  return kOk;
}

}  // namespace

void add_serve_command(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("serve", "Run the router");
  auto where = std::make_shared<Where>();
  auto only_check = std::make_shared<bool>(false);
  add_where(*command, *where);
  command->add_option("--listen", where->listen, "Address and port, e.g. 127.0.0.1:8080");
  command->add_flag("--check", *only_check, "Check the configuration and end");
  command->callback([=, &run] { run = [=] { return serve(*where, *only_check); }; });
}

}  // namespace embedrouter::apps
