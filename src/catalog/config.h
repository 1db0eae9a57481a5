#pragma once
// The configuration file (DESIGN section 6) as plain structs. Every fault is reported with its line.

#include <embedrouter/result.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::catalog {

enum class Auth : std::uint8_t { required, none };

struct ProviderPolicy {
  bool zdr = false;      // keeps nothing
  bool training = true;  // may train on or store inputs, unless declared otherwise
};

struct ProviderConfig {
  std::string slug;  // "openai"
  std::string name;  // display name; the slug if absent
  std::string dialect = "openai";
  std::string base_url;
  // Where its keys are, in this order; at most one of the two lists is filled. Never the keys themselves.
  std::vector<std::string> api_key_envs, api_key_files;
  std::uint32_t line = 0, key_line = 0;           // of the table, and of what names its keys: for faults
  std::string ca_file;                            // PEM of a private certificate authority
  std::string client_cert_file, client_key_file;  // PEM; both or neither
  std::optional<std::string> proxy;  // "http://host:port"; empty: none, whatever the environment says
  bool http2 = true;                 // offered where there is TLS
  bool compression = false;          // of answers: asked for
  ProviderPolicy policy;
  std::string privacy_policy_url, terms_of_service_url, status_page_url;  // for listings; may be empty
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds first_byte_timeout{30'000};
  std::chrono::milliseconds idle_timeout{15'000};
  std::uint32_t max_concurrency = 256;
  bool policy_fallback = false;  // what its content policy refuses may be asked of another provider
};

struct EndpointConfig {
  std::string provider;            // slug
  std::string upstream_model;      // the model id if absent
  std::string price_prompt = "0";  // USD per token, decimal string
  std::uint32_t max_batch_items = 2048;
  std::uint32_t max_batch_tokens = 0;  // 0: no declared limit
  std::uint32_t max_batch_bytes = 0;   // of a request's body; 0: no declared limit
  std::string space;                   // derived from the model id and quantization if absent
  std::string quantization = "unknown";
  bool normalized = true;
  bool encodings_float = true, encodings_base64 = true;
  bool token_ids = false;
  bool strict_model = false;  // an answer that names another model is a fault
  bool dimensions =
      false;  // the upstream honours `dimensions` (default: true where the model declares matryoshka)
  std::vector<std::string> input_types;  // the kinds of `input_type` the upstream honours; empty: none
  bool user = true;                      // the provider's dialect has a place for `user`
};

struct ModelConfig {
  std::string id;    // "author/slug"
  std::string name;  // display name; the id if absent
  std::string description;
  std::vector<std::string> aliases;
  std::uint32_t dimensions = 0;           // native width; required
  std::vector<std::uint32_t> matryoshka;  // widths it may be cut to
  std::uint32_t context_length = 0;       // tokens; 0: unknown
  std::int64_t created = 0;               // unix seconds
  std::string tokenizer;                  // family name for listings, e.g. "GPT"; may be empty
  bool symmetric = false;  // query and document are embedded alike, so both kinds of input_type are honoured
  bool distillable = false;  // its author allows other models to be trained on what it makes
  std::vector<EndpointConfig> endpoints;
};

struct Config {
  struct Server {
    std::string listen = "127.0.0.1:8080";
    Auth auth = Auth::required;
    std::filesystem::path
        data_dir;  // ~ expanded; default ~/.local/share/embedrouter, or $XDG_DATA_HOME/embedrouter
    std::string tls_cert_file, tls_key_file;
    unsigned threads = 0;  // I/O threads; 0: one per two CPUs, at least one
    std::vector<std::string>
        cors_origins;  // origins whose pages may read answers, or "*" alone; none by default
    std::chrono::milliseconds readyz_interval{5'000};  // between the router's tests of itself
  } server;
  struct Limits {
    std::size_t body_bytes = 32u << 20;
    std::size_t inputs = 2048;
    std::size_t header_bytes = 64u << 10;
    std::chrono::milliseconds idle_timeout{75'000};
    std::chrono::milliseconds total_timeout{300'000};  // of one request, as the caller sees it
    std::size_t bytes_in_flight = 512u << 20;          // request bodies held at once; over it: 503
  } limits;
  struct Embedded {
    bool enabled = true;
    std::string precision = "auto";  // auto | fp32 | bf16 | int8
    unsigned threads = 0;
    std::filesystem::path model_dir;  // a Hugging Face folder; default <data_dir>/models/all-minilm-l6-v2
    std::string id;                   // "author/slug" of the model there; empty: the default one
    std::vector<std::uint32_t> matryoshka;  // widths its vectors may be cut to, ascending
    std::uint32_t max_tokens = 0;           // per text; 0: the model's own limit
    std::size_t queue_tokens = 1u << 20;
    // Installed models that are served beside it, by id; nullopt: all that are installed.
    std::optional<std::vector<std::string>> models;
    std::size_t memory = std::size_t{2} << 30;        // that those may take together
    std::chrono::milliseconds idle_timeout{600'000};  // one that nobody uses leaves the memory
  } embedded;
  struct Storage {
    std::string url = "sqlite:embedrouter.db";  // relative to data_dir
  } storage;
  struct Probe {  // canaries (docs/spaces.md)
    bool enabled = true;
    std::chrono::milliseconds interval{60'000};
    double threshold = 0.9995;  // least cosine of two endpoints of one space
  } probe;
  struct Telemetry {
    std::string log_level = "info";  // debug | info | warn | error | off
    std::string otlp_url;            // base URL of an OpenTelemetry collector; empty: none
  } telemetry;
  std::vector<ProviderConfig> providers;
  std::vector<ModelConfig> models;
};

// One fault of a file, in the words of `serve --check`.
struct ConfigFault {
  std::uint32_t line = 0;  // 1-based; 0: the file as a whole
  std::string message;     // which key, what was expected, what to do
};

struct ConfigOutcome {
  Config config;
  std::vector<ConfigFault> faults;  // empty: the configuration is good
};

// What a provider's wire format has a place for. An endpoint may declare less, not more.
struct DialectFacts {
  std::string_view name;
  bool base64 = true, token_ids = true, dimensions = true, input_types = true, user = true;
  std::uint32_t max_batch_items = 2048;  // of an endpoint that declares none
};

// What stands outside the file. Empty members are unset.
struct ConfigEnvironment {
  std::string home = {}, xdg_data_home = {};
  // Flags of the command line. They win over the file and are checked as if they stood in it.
  std::string listen = {}, data_dir = {};
  // Those a provider's `dialect` may name; empty: not checked here.
  std::vector<DialectFacts> dialects = {};
};
// Unknown keys, wrong types, out-of-range values, sections that later releases will know ([cache],
// [counters] with anything but their defaults), dangling references and duplicate slugs, ids and aliases are
// all faults; all are reported, in the order of their lines. A file that is not TOML is one fault, the first.
// Messages never hold a value of the file.
ConfigOutcome parse_config(std::string_view toml, const ConfigEnvironment& environment);
// Reads `file`; an unreadable file is one fault with line 0. Without a file: the defaults.
ConfigOutcome load_config(const std::optional<std::filesystem::path>& file,
                          const ConfigEnvironment& environment);

// Where models are installed, a folder each.
std::filesystem::path models_path(const Config& config);
// Where storage.url puts the SQLite database.
std::filesystem::path database_path(const Config& config);

}  // namespace embedrouter::catalog
