#include "catalog/config.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>

#include "catalog/catalog.h"
#include "catalog/read_models.h"
#include "catalog/section.h"
#include "catalog/values.h"

namespace embedrouter::catalog {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxFileBytes = 4U << 20;
constexpr milliseconds kLongest = std::chrono::hours(24);
constexpr std::uint64_t kKiB = 1ULL << 10;
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::string_view kSqlite = "sqlite:";

// A path of the file, its tilde expanded.
std::optional<std::filesystem::path> path(Section& section, std::string_view key,
                                          const ConfigEnvironment& environment) {
  const auto text = section.text(key);
  if (!text) return std::nullopt;
  if (text->empty() || text->find('\0') != std::string::npos) {
    section.fault(key, "expected a path");
    return std::nullopt;
  }
  auto expanded = expand_home(*text, environment.home);
  if (!expanded) section.fault(key, "HOME is not set, so ~ has no meaning; write the whole path");
  return expanded;
}

void read_data_dir(Section& server, const ConfigEnvironment& environment, Config& config) {
  const bool in_file = server.has("data_dir");
  if (auto dir = path(server, "data_dir", environment)) config.server.data_dir = std::move(*dir);
  if (!environment.data_dir.empty()) {
    config.server.data_dir = environment.data_dir;
  } else if (!in_file && environment.xdg_data_home.starts_with('/')) {
    config.server.data_dir = std::filesystem::path(environment.xdg_data_home) / "embedrouter";
  } else if (!in_file && !environment.home.empty()) {
    config.server.data_dir = std::filesystem::path(environment.home) / ".local/share/embedrouter";
  } else if (!in_file) {
    server.fault("data_dir",
                 "neither HOME nor XDG_DATA_HOME is set, so there is no default; set it or pass --data-dir");
  }
}

void read_listen(Section& server, const ConfigEnvironment& environment, Config& config) {
  if (const auto listen = server.text("listen")) config.server.listen = *listen;
  if (!environment.listen.empty()) config.server.listen = environment.listen;
  const auto auth = server.choice("auth", {"required", "none"});
  if (auth == "none") config.server.auth = Auth::none;

  const auto address = parse_listen(config.server.listen);
  if (!address) {
    server.fault(
        "listen",
        "expected \"host:port\", such as \"127.0.0.1:8080\" or \"[::1]:8080\", with a port from 0 to 65535");
  } else if (config.server.auth == Auth::none && !is_loopback(*address)) {
    server.fault("auth",
                 "\"none\" is for a loopback address alone, and listen is not one: others could spend your "
                 "providers' money; listen on 127.0.0.1 or set auth = \"required\"");
  }
}

void read_cors_origins(Section& section, Config::Server& server) {
  for (auto& [origin, line] : section.texts("cors_origins")) {
    if (origin != "*" && !is_origin(origin)) {
      section.fault_at(
          line, "cors_origins",
          "expected origins as browsers write them, such as \"https://app.example.com\": scheme, host "
          "in lower case, port if it is not the scheme's own, and no path; or \"*\"");
    }
    server.cors_origins.push_back(std::move(origin));
  }
  if (std::ranges::find(server.cors_origins, "*") != server.cors_origins.end() &&
      server.cors_origins.size() > 1)
    section.fault("cors_origins", "\"*\" means every origin; remove the others or remove it");
  if (!server.cors_origins.empty() && server.auth == Auth::none) {
    section.fault(
        "cors_origins",
        "pages may be answered only where keys are asked for; set auth = \"required\" or remove it");
  }
}

void read_server(Section& root, const ConfigEnvironment& environment, Config& config) {
  Section server = root.table("server", "[server]");
  read_listen(server, environment, config);
  read_data_dir(server, environment, config);
  server.integer("threads", config.server.threads, 0, 1'024);
  server.duration("readyz_interval", config.server.readyz_interval, milliseconds(100), std::chrono::hours(1));
  read_cors_origins(server, config.server);

  Section tls = server.table("tls", "[server.tls]");
  if (const auto file = path(tls, "cert_file", environment)) config.server.tls_cert_file = file->string();
  if (const auto file = path(tls, "key_file", environment)) config.server.tls_key_file = file->string();
  if (tls.has("cert_file") != tls.has("key_file")) {
    const bool has_cert = tls.has("cert_file");
    tls.fault(has_cert ? "key_file" : "cert_file",
              std::string("is missing: TLS needs both files; add it or remove ") +
                  (has_cert ? "cert_file" : "key_file"));
  }
  tls.finish();
  server.finish();
}

void read_limits(Section& root, Config::Limits& limits) {
  Section section = root.table("limits", "[limits]");
  section.bytes("body_bytes", limits.body_bytes, kKiB, kGiB);
  section.integer("inputs", limits.inputs, 1, 100'000);
  section.bytes("header_bytes", limits.header_bytes, kKiB, kMiB);
  section.duration("idle_timeout", limits.idle_timeout, milliseconds(100), kLongest);
  section.duration("total_timeout", limits.total_timeout, milliseconds(100), kLongest);
  section.bytes("bytes_in_flight", limits.bytes_in_flight, kKiB, 1'024 * kGiB);
  if (limits.bytes_in_flight < limits.body_bytes) {
    section.fault("bytes_in_flight",
                  "is less than body_bytes, so that the largest body could never be read; raise it");
  }
  section.finish();
}

// Models beside the default one, each once.
void read_embedded_models(Section& section, Config::Embedded& embedded) {
  if (!section.has("models")) return;
  std::vector<std::string>& models = embedded.models.emplace();
  std::vector<std::string> seen{lower_case(embedded_id(embedded))};
  for (auto& [id, line] : section.texts("models")) {
    const std::string name = lower_case(id);
    if (!is_model_id(id)) {
      section.fault_at(line, "models",
                       "expected ids of installed models, such as \"BAAI/bge-small-en-v1.5\"");
    } else if (name == seen.front()) {
      section.fault_at(line, "models",
                       "names the model of [embedded] itself, which is served anyway; remove it");
    } else if (std::ranges::find(seen, name) != seen.end()) {
      section.fault_at(line, "models", "names a model twice; remove one");
    }
    seen.push_back(name);
    models.push_back(std::move(id));
  }
}

void read_embedded(Section& root, const ConfigEnvironment& environment, Config& config) {
  Config::Embedded& embedded = config.embedded;
  Section section = root.table("embedded", "[embedded]");
  section.flag("enabled", embedded.enabled);
  if (auto precision = section.choice("precision", {"auto", "fp32", "bf16", "int8"})) {
    embedded.precision = std::move(*precision);
  }
  section.integer("threads", embedded.threads, 0, 1'024);
  section.integer("max_tokens", embedded.max_tokens, 0, 65'536);
  if (auto id = section.text("id")) {
    if (!is_model_id(*id))
      section.fault(
          "id",
          "expected \"author/slug\" of letters, digits and \"._~-\", such as \"BAAI/bge-small-en-v1.5\"");
    embedded.id = std::move(*id);
  }
  for (const auto& width : section.integers("matryoshka", 1, 65'536)) {
    const auto value = static_cast<std::uint32_t>(width.value);
    if (!embedded.matryoshka.empty() && value <= embedded.matryoshka.back())
      section.fault_at(width.line, "matryoshka", "expected ascending widths, each once");
    embedded.matryoshka.push_back(value);
  }
  section.integer("queue_tokens", embedded.queue_tokens, 1'024, 1'000'000'000);
  read_embedded_models(section, embedded);
  section.bytes("memory", embedded.memory, kMiB, 1'024 * kGiB);
  section.duration("idle_timeout", embedded.idle_timeout, milliseconds(100), kLongest);
  embedded.model_dir =
      path(section, "model_dir", environment).value_or(models_path(config) / "all-minilm-l6-v2");
  section.finish();
}

void read_storage(Section& root, const ConfigEnvironment& environment, Config::Storage& storage) {
  Section section = root.table("storage", "[storage]");
  if (const auto url = section.text("url")) {
    if (url->starts_with("postgresql:") || url->starts_with("postgres:")) {
      section.fault("url", "postgresql:// is not in this release; use \"sqlite:embedrouter.db\"");
    } else if (!url->starts_with(kSqlite) || !is_display_text(url->substr(kSqlite.size()), 4'096) ||
               url->substr(kSqlite.size()).starts_with(':')) {
      section.fault(
          "url", "expected \"sqlite:\" and a file, such as \"sqlite:embedrouter.db\", which is in data_dir");
    } else if (const auto file = expand_home(url->substr(kSqlite.size()), environment.home)) {
      storage.url = std::string(kSqlite) + file->string();
    } else {
      section.fault("url", "HOME is not set, so ~ has no meaning; write the whole path");
    }
  }
  section.finish();
}

void read_counters(Section& root) {
  Section section = root.table("counters", "[counters]");
  section.later("url", "memory:");
  section.finish();
}

void read_telemetry(Section& root, Config::Telemetry& telemetry) {
  Section section = root.table("telemetry", "[telemetry]");
  if (auto level = section.choice("log_level", {"debug", "info", "warn", "error", "off"})) {
    telemetry.log_level = std::move(*level);
  }
  if (auto url = section.text("otlp_url")) {
    if (!url->empty() && !is_base_url(*url)) {
      section.fault("otlp_url", "expected the base URL of a collector, such as \"http://127.0.0.1:4318\"");
    }
    telemetry.otlp_url = *std::move(url);
  }
  section.finish();
}

void read_probe(Section& root, Config::Probe& probe) {
  Section section = root.table("probe", "[probe]");
  section.flag("enabled", probe.enabled);
  section.duration("interval", probe.interval, milliseconds(100), kLongest);
  section.number("threshold", probe.threshold, 0.9, 1);
  section.finish();
}

// Sections of later releases may be written down, but not yet filled.
void refuse_later_section(Section& root, std::string_view key, Faults& faults) {
  const Section section = root.table(key, "[" + std::string(key) + "]");
  if (!section.empty())
    faults.push_back({section.line(), section.where() + ": is not in this release; remove the section"});
}

void read_document(const toml::table& document, const ConfigEnvironment& environment,
                   ConfigOutcome& outcome) {
  Section root(&document, "", outcome.faults);
  read_server(root, environment, outcome.config);
  read_limits(root, outcome.config.limits);
  read_embedded(root, environment, outcome.config);
  read_storage(root, environment, outcome.config.storage);
  read_counters(root);
  refuse_later_section(root, "cache", outcome.faults);
  read_probe(root, outcome.config.probe);
  read_telemetry(root, outcome.config.telemetry);
  read_providers(root, environment, outcome.config, outcome.faults);
  read_models(root, environment, outcome.config);
  root.finish();
}

// The whole file, or the reason it cannot be had.
Result<std::string> read_file(const std::filesystem::path& file) {
  const auto cannot = [&](const char* why) {
    return fail(ErrorCode::invalid_request, "cannot read " + file.string() + ": " + why);
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (!in) return cannot(std::strerror(errno));
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), in.get()));
  if (std::ferror(in.get()) != 0) return cannot(std::strerror(errno));
  return text;
}

}  // namespace

ConfigOutcome parse_config(std::string_view toml, const ConfigEnvironment& environment) {
  ConfigOutcome outcome;
  if (toml.size() > kMaxFileBytes) {
    outcome.faults.push_back({0, "the file is larger than 4 MiB; is it the right one?"});
    return outcome;
  }
  // The parser throws; nothing else here does.
  try {
    const toml::table document = toml::parse(toml);
    read_document(document, environment, outcome);
  } catch (const toml::parse_error& error) {
    outcome.faults.push_back(
        {error.source().begin.line, "this is not TOML: " + std::string(error.description())});
  }
  std::ranges::sort(outcome.faults, {},
                    [](const ConfigFault& fault) { return std::tie(fault.line, fault.message); });
  return outcome;
}

ConfigOutcome load_config(const std::optional<std::filesystem::path>& file,
                          const ConfigEnvironment& environment) {
  if (!file) return parse_config("", environment);
  const auto text = read_file(*file);
  if (text) return parse_config(*text, environment);
  ConfigOutcome outcome;
  outcome.faults.push_back({0, text.error().message()});
  return outcome;
}

std::filesystem::path models_path(const Config& config) {
  return config.server.data_dir / "models";
}

std::filesystem::path database_path(const Config& config) {
  return config.server.data_dir / config.storage.url.substr(kSqlite.size());
}

}  // namespace embedrouter::catalog
