// Going on with another configuration, without dropping a request.

#include <boost/asio/post.hpp>
#include <utility>

#include "apps/common.h"
#include "apps/service.h"

namespace embedrouter::apps {
namespace {

// What cannot change while the router runs stays as it is.
void keep_fixed(const catalog::Config& running, catalog::Config& read) {
  read.server.listen = running.server.listen;
  read.server.auth = running.server.auth;
  read.server.data_dir = running.server.data_dir;
  read.server.threads = running.server.threads;
  if (running.server.tls_cert_file.empty() != read.server.tls_cert_file.empty()) {
    read.server.tls_cert_file = running.server.tls_cert_file;
    read.server.tls_key_file = running.server.tls_key_file;
  }
  read.storage = running.storage;
  read.telemetry.otlp_url = running.telemetry.otlp_url;
}

}  // namespace

std::vector<std::string> needing_restart(const catalog::Config& running, const catalog::Config& read) {
  std::vector<std::string> names;
  const auto look = [&](std::string_view name, bool same) {
    if (!same) names.emplace_back(name);
  };
  look("[server] listen", running.server.listen == read.server.listen);
  look("[server] auth", running.server.auth == read.server.auth);
  look("[server] data_dir", running.server.data_dir == read.server.data_dir);
  look("[server] threads", running.server.threads == read.server.threads);
  look("[server.tls], to turn it on or off",
       running.server.tls_cert_file.empty() == read.server.tls_cert_file.empty());
  look("[storage] url", running.storage.url == read.storage.url);
  look("[telemetry] otlp_url", running.telemetry.otlp_url == read.telemetry.otlp_url);
  return names;
}

void Service::reload(std::function<catalog::ConfigOutcome()> read) {
  if (reload_waits_.exchange(true)) return;
  asio::post(background_, [this, read = std::move(read)] {
    reload_waits_ = false;  // what changes in the file from here on is for the next
    if (!ending_) reload_now(read);
  });
}

void Service::reload_now(const std::function<catalog::ConfigOutcome()>& read) {
  catalog::ConfigOutcome outcome = read();
  for (const catalog::ConfigFault& fault : outcome.faults)
    log_.error("config_fault", {{"line", fault.line}, {"reason", fault.message}});
  Result<void> done;
  if (outcome.faults.empty()) {
    done = go_on_with(std::move(outcome.config));
  } else {
    done = fail(ErrorCode::invalid_request, describe_faults(outcome.faults));
  }
  (done ? reloads_ok_ : reloads_refused_)->Increment();
  if (!done) {
    log_.error("config_refused", {{"reason", done.error().message()},
                                  {"detail", "nothing has changed; the router goes on as before"}});
    return;
  }
  last_success_->SetToCurrentTime();
}

Result<void> Service::go_on_with(catalog::Config config) {
  const std::vector<std::string> fixed = needing_restart(current_->config(), config);
  keep_fixed(current_->config(), config);
  auto next = prepare(std::move(config));
  if (!next) return fail(std::move(next).error());
  const catalog::Config& taken = next->runtime->config();
  // The last step that can fail.
  if (auto done = server_->reconfigure(server_limits(taken.limits), server_tls(taken.server)); !done)
    return fail(std::move(done).error());
  pool_.set_options(pool_options(taken.embedded));
  next->runtime->set_places();
  in_flight_.set_most(taken.limits.bytes_in_flight);
  readiness_.set_interval(taken.server.readyz_interval);
  log_.set_level(level_of(taken.telemetry.log_level));
  for (const std::string& name : fixed)
    log_.warn("config_needs_restart", {{"reason", name + " differs from what runs"}});
  log_.info("config_reloaded", {{"models", taken.models.size()}, {"providers", taken.providers.size()}});
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    asio::post(workers_[i]->io, [&worker = *workers_[i], part = std::move(next->parts[i])]() mutable {
      worker.adopt(part);
      part.reset();
    });
  }
  std::shared_ptr<const Runtime> old = std::move(next->runtime);
  {
    const std::lock_guard lock(current_mutex_);
    current_.swap(old);
  }
  return {};
}

void Service::watch_reloads() {
  const auto total = [&](const char* outcome) {
    return &metrics_.counter("embedrouter_config_reloads_total",
                             "Configurations read again, by what came of it", {{"outcome", outcome}});
  };
  reloads_ok_ = total("ok");
  reloads_refused_ = total("refused");
  last_success_ = &metrics_.gauge("embedrouter_config_last_success_time_seconds",
                                  "When the configuration in use was read, in seconds since 1970");
  last_success_->SetToCurrentTime();
}

}  // namespace embedrouter::apps
