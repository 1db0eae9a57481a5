#include "catalog/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "catalog/faults_testing.h"

namespace embedrouter::catalog {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Config, an_empty_file_is_the_documented_defaults) {
  const ConfigOutcome outcome = parse_config("", kHome);
  ASSERT_EQ(all(outcome), "");
  const Config& config = outcome.config;
  EXPECT_EQ(config.server.listen, "127.0.0.1:8080");
  EXPECT_EQ(config.server.auth, Auth::required);
  EXPECT_EQ(config.server.data_dir, "/home/u/.local/share/embedrouter");
  EXPECT_EQ(config.limits.body_bytes, 32U << 20);
  EXPECT_EQ(config.limits.inputs, 2048U);
  EXPECT_EQ(config.limits.header_bytes, 64U << 10);
  EXPECT_EQ(config.embedded.model_dir, "/home/u/.local/share/embedrouter/models/all-minilm-l6-v2");
  EXPECT_FALSE(config.embedded.models);
  EXPECT_EQ(config.embedded.memory, std::size_t{2} << 30);
  EXPECT_EQ(config.embedded.idle_timeout, std::chrono::minutes(10));
  EXPECT_EQ(database_path(config), "/home/u/.local/share/embedrouter/embedrouter.db");
  EXPECT_TRUE(config.providers.empty());
  EXPECT_TRUE(config.models.empty());
}

TEST(Config, every_key_of_the_sections_is_read) {
  const ConfigOutcome outcome = parse_config(R"(
[server]
listen = "[::]:443"
auth = "required"
data_dir = "~/d"
threads = 3
cors_origins = ["https://app.example.com", "http://localhost:3000"]
readyz_interval = "2s"
[server.tls]
cert_file = "~/c.pem"
key_file = "/k.pem"
[limits]
body_bytes = "1MiB"
inputs = 7
header_bytes = 4096
idle_timeout = "10s"
total_timeout = "500ms"
bytes_in_flight = "1GiB"
[embedded]
enabled = false
precision = "bf16"
threads = 2
model_dir = "/m"
max_tokens = 512
queue_tokens = 4096
models = ["BAAI/bge-m3"]
memory = "512MiB"
idle_timeout = "30s"
[storage]
url = "sqlite:/var/keys.db"
[counters]
url = "memory:"
[cache]
[probe]
enabled = false
interval = "5m"
threshold = 0.999
[telemetry]
log_level = "debug"
otlp_url = "http://127.0.0.1:4318"
)",
                                             kHome);
  ASSERT_EQ(all(outcome), "");
  const Config& config = outcome.config;
  EXPECT_EQ(config.server.listen, "[::]:443");
  EXPECT_EQ(config.server.data_dir, "/home/u/d");
  EXPECT_EQ(config.server.threads, 3U);
  EXPECT_EQ(config.server.cors_origins,
            (std::vector<std::string>{"https://app.example.com", "http://localhost:3000"}));
  EXPECT_EQ(config.server.readyz_interval, milliseconds(2'000));
  EXPECT_FALSE(config.probe.enabled);
  EXPECT_EQ(config.probe.interval, milliseconds(300'000));
  EXPECT_EQ(config.probe.threshold, 0.999);
  EXPECT_EQ(config.telemetry.otlp_url, "http://127.0.0.1:4318");
  EXPECT_EQ(config.server.tls_cert_file, "/home/u/c.pem");
  EXPECT_EQ(config.server.tls_key_file, "/k.pem");
  EXPECT_EQ(config.limits.body_bytes, 1U << 20);
  EXPECT_EQ(config.limits.inputs, 7U);
  EXPECT_EQ(config.limits.header_bytes, 4096U);
  EXPECT_EQ(config.limits.idle_timeout, milliseconds(10'000));
  EXPECT_EQ(config.limits.total_timeout, milliseconds(500));
  EXPECT_EQ(config.limits.bytes_in_flight, 1U << 30);
  EXPECT_FALSE(config.embedded.enabled);
  EXPECT_EQ(config.embedded.precision, "bf16");
  EXPECT_EQ(config.embedded.threads, 2U);
  EXPECT_EQ(config.embedded.model_dir, "/m");
  EXPECT_EQ(config.embedded.max_tokens, 512U);
  EXPECT_EQ(config.embedded.queue_tokens, 4096U);
  EXPECT_EQ(config.embedded.models, (std::vector<std::string>{"BAAI/bge-m3"}));
  EXPECT_EQ(config.embedded.memory, 512U << 20);
  EXPECT_EQ(config.embedded.idle_timeout, std::chrono::seconds(30));
  EXPECT_EQ(database_path(config), "/var/keys.db");
  EXPECT_EQ(config.telemetry.log_level, "debug");
}

struct Case {
  const char* toml;
  std::uint32_t line;
  const char* message;  // a part of the one fault
};

TEST(Config, each_fault_names_its_line_its_key_and_what_to_do) {
  const Case cases[] = {
      {"[server]\nlisten = 8080", 2,
       "[server] listen: expected a string, found an integer; put it in quotes"},
      {"[server]\nlisten = \"8080\"", 2, "[server] listen: expected \"host:port\""},
      {"[server]\nlisten = \"127.0.0.1:70000\"", 2, "a port from 0 to 65535"},
      {"[server]\nauth = \"non\"", 2,
       "[server] auth: expected \"required\" or \"none\"; did you mean \"none\"?"},
      {"[server]\nlisten = \"0.0.0.0:80\"\nauth = \"none\"", 3,
       "[server] auth: \"none\" is for a loopback address alone"},
      {"[server]\ndata_dir = \"\"", 2, "[server] data_dir: expected a path"},
      {"[server]\nthreads = -1", 2, "[server] threads: expected an integer from 0 to 1024"},
      {"[server]\nthreads = \"2\"", 2, "write it without quotes"},
      {"[server]\nlisten_on = \"x\"", 2, "[server] listen_on: is unknown; remove it"},
      {"[server]\nlisten.port = 1", 2, "[server] listen: expected a string, found a table"},
      {"\n[severs]", 2, "severs: is unknown; did you mean server?"},
      {"server = 1", 1, "server: expected a table, found an integer"},
      {"[server.tls]\ncert_file = \"/c\"", 1, "[server.tls] key_file: is missing: TLS needs both files"},
      {"[server.tls]\nkey_file = \"/k\"", 1, "[server.tls] cert_file: is missing: TLS needs both files"},
      {"[limits]\nidle_timeout = 30", 2,
       "[limits] idle_timeout: expected a duration with its unit, such as \"30s\", found an integer"},
      {"[limits]\nidle_timeout = \"30\"", 2, "[limits] idle_timeout: expected a whole number and a unit"},
      {"[limits]\nidle_timeout = \"0s\"", 2, "expected a duration from 100ms to 24h"},
      {"[limits]\nbody_bytes = \"32MB\"", 2, "KiB, MiB or GiB"},
      {"[limits]\nbody_bytes = -1", 2, "expected a size from 1KiB to 1GiB"},
      {"[limits]\nbody_bytes = 1.5", 2, "found a number with a fraction"},
      {"[limits]\ninputs = 0", 2, "[limits] inputs: expected an integer from 1 to 100000"},
      {"[limits]\nbytes_in_flight = \"1MiB\"", 2, "[limits] bytes_in_flight: is less than body_bytes"},
      {"[limits]\nrpm = 5", 2, "[limits] rpm: is unknown"},
      {"[embedded]\nenabled = \"true\"", 2,
       "[embedded] enabled: expected true or false, found a string; write it without quotes"},
      {"[embedded]\nprecision = \"fp23\"", 2, "did you mean \"fp32\"?"},
      {"[embedded]\nprecision = \"int4\"", 2,
       "[embedded] precision: expected \"auto\", \"fp32\", \"bf16\" or \"int8\""},
      {"[embedded]\nmodels = [\"a/b\", \"bge\"]", 2, "[embedded] models: expected ids of installed models"},
      {"[embedded]\nmodels = [\"a/b\", \"A/B\"]", 2, "[embedded] models: names a model twice"},
      {"[embedded]\nmodels = [\"sentence-transformers/all-MiniLM-L6-v2\"]", 2,
       "[embedded] models: names the model of [embedded] itself"},
      {"[embedded]\nmemory = \"1KiB\"", 2, "[embedded] memory: expected"},
      {"[embedded]\nidle_timeout = \"0s\"", 2, "[embedded] idle_timeout: expected"},
      {"[embedded]\nqueue_tokens = 1", 2, "[embedded] queue_tokens: expected an integer from 1024"},
      {"[storage]\nurl = \"postgresql://u@h/db\"", 2, "[storage] url: postgresql:// is not in this release"},
      {"[storage]\nurl = \"mysql:x\"", 2, "[storage] url: expected \"sqlite:\" and a file"},
      {"[storage]\nurl = \"sqlite::memory:\"", 2, "[storage] url: expected \"sqlite:\" and a file"},
      {"[storage]\nurl = \"sqlite:\"", 2, "[storage] url: expected \"sqlite:\" and a file"},
      {"[counters]\nurl = \"redis://h:6379\"", 2, "[counters] url: only \"memory:\" is in this release"},
      {"[counters]\nsize = 1", 2, "[counters] size: is unknown"},
      {"\n[cache]\nttl = \"5m\"\nsize = 3", 2, "[cache]: is not in this release; remove the section"},
      {"[probe]\nenabled = 1", 2, "[probe] enabled: expected true or false"},
      {"[probe]\ninterval = \"1ms\"", 2, "[probe] interval: expected"},
      {"[probe]\nthreshold = 0.5", 2, "[probe] threshold: expected a number from 0.9 to 1.0"},
      {"[probe]\nthreshold = nan", 2, "[probe] threshold: expected a number from 0.9 to 1.0"},
      {"[probe]\nthreshold = \"1\"", 2, "[probe] threshold: expected a number from 0.9 to 1.0"},
      {"[telemetry]\nlog_level = \"warning\"", 2, "[telemetry] log_level: expected"},
      {"[telemetry]\notlp_url = \"collector:4318\"", 2,
       "[telemetry] otlp_url: expected the base URL of a collector, such as \"http://127.0.0.1:4318\""},
      {"[server]\ncors_origins = [\n\"https://a.example/\"]", 3,
       "[server] cors_origins: expected origins as browsers write them"},
      {"[server]\ncors_origins = [\"*\", \"https://a.example\"]", 2,
       "[server] cors_origins: \"*\" means every origin"},
      {"[server]\nauth = \"none\"\ncors_origins = [\"*\"]", 3,
       "[server] cors_origins: pages may be answered only where keys are asked for"},
      {"\"a\\u0007b\" = 1", 1, "a key: is unknown"},
      {"[server\n", 1, "this is not TOML: "},
      {"a = 1\nb = 2\nb = 3", 3, "this is not TOML: "},
      {"x = \"\xff\"", 1, "this is not TOML: "},
  };
  for (const Case& c : cases) {
    const ConfigOutcome outcome = parse_config(c.toml, kHome);
    ASSERT_EQ(outcome.faults.size(), 1U) << c.toml << "\n" << all(outcome);
    EXPECT_EQ(outcome.faults[0].line, c.line) << c.toml << "\n" << all(outcome);
    EXPECT_THAT(outcome.faults[0].message, HasSubstr(c.message)) << c.toml;
  }
}

TEST(Config, all_faults_are_reported_in_the_order_of_their_lines) {
  const ConfigOutcome outcome = parse_config(
      "[telemetry]\nlog_level = 1\n[server]\nauth = 2\nthreads = \"x\"\n[limits]\ninputs = 0\n", kHome);
  ASSERT_EQ(outcome.faults.size(), 4U) << all(outcome);
  EXPECT_EQ(outcome.faults[0].line, 2U);
  EXPECT_EQ(outcome.faults[1].line, 4U);
  EXPECT_EQ(outcome.faults[2].line, 5U);
  EXPECT_EQ(outcome.faults[3].line, 7U);
}

TEST(Config, auth_none_is_taken_on_every_form_of_loopback) {
  for (const char* listen : {"127.0.0.1:8080", "[::1]:1", "localhost:0"}) {
    const auto outcome =
        parse_config("[server]\nauth = \"none\"\nlisten = \"" + std::string(listen) + "\"", kHome);
    EXPECT_EQ(all(outcome), "") << listen;
    EXPECT_EQ(outcome.config.server.auth, Auth::none);
  }
}

TEST(Config, a_flag_wins_over_the_file_and_is_checked_with_it) {
  ConfigEnvironment environment = kHome;
  environment.listen = "0.0.0.0:80";
  environment.data_dir = "/flag";
  const auto outcome = parse_config("[server]\nauth = \"none\"\ndata_dir = \"/file\"", environment);
  ASSERT_EQ(outcome.faults.size(), 1U) << all(outcome);
  EXPECT_THAT(outcome.faults[0].message, HasSubstr("loopback"));
  EXPECT_EQ(outcome.config.server.data_dir, "/flag");
  EXPECT_EQ(outcome.config.embedded.model_dir, "/flag/models/all-minilm-l6-v2");
}

TEST(Config, the_data_dir_follows_the_environment) {
  EXPECT_EQ(parse_config("", {.home = "/h", .xdg_data_home = "/x"}).config.server.data_dir, "/x/embedrouter");
  // The XDG specification: a relative path is to be ignored.
  EXPECT_EQ(parse_config("", {.home = "/h", .xdg_data_home = "x"}).config.server.data_dir,
            "/h/.local/share/embedrouter");
  EXPECT_THAT(all(parse_config("", {})), HasSubstr("data_dir: neither HOME nor XDG_DATA_HOME is set"));
  EXPECT_EQ(all(parse_config("", {.data_dir = "/d"})), "");
  EXPECT_EQ(all(parse_config("[server]\ndata_dir = \"/d\"", {})), "");
  EXPECT_THAT(all(parse_config("[server]\ndata_dir = \"~/d\"", {})),
              HasSubstr("HOME is not set, so ~ has no meaning"));
}

TEST(Config, no_fault_repeats_a_value_of_the_file) {
  for (const char* toml :
       {"[[provider]]\nslug = \"sk-hidden-1\"\napi_key = \"sk-hidden\"",
        "[[provider]]\napi_key_env = \"sk-hidden\"", "api_key = sk-hidden", "[server]\nauth = \"sk-hidden\"",
        "[[provider]]\nbase_url = \"https://u:sk-hidden@h\"",
        "[storage]\nurl = \"postgresql://u:sk-hidden@h/d\"", "[server]\nlisten = \"sk-hidden\"",
        "[[model]]\nid = \"sk-hidden\"", "[counters]\nurl = \"redis://:sk-hidden@h\""}) {
    const std::string faults = all(parse_config(toml, kHome));
    EXPECT_NE(faults, "") << toml;
    // A slug is a name and may be repeated; nothing else is.
    if (std::string_view(toml).find("sk-hidden-1") == std::string_view::npos)
      EXPECT_THAT(faults, Not(HasSubstr("hidden"))) << toml;
    EXPECT_THAT(faults, Not(HasSubstr("sk-hidden\""))) << toml;
  }
}

TEST(Config, a_file_that_cannot_be_read_is_one_fault_of_the_whole_file) {
  const auto missing = load_config("/nonexistent/embedrouter.toml", kHome);
  ASSERT_EQ(missing.faults.size(), 1U);
  EXPECT_EQ(missing.faults[0].line, 0U);
  EXPECT_THAT(missing.faults[0].message,
              HasSubstr("cannot read /nonexistent/embedrouter.toml: No such file"));
  EXPECT_THAT(all(load_config("/", kHome)), HasSubstr("cannot read /: Is a directory"));
  EXPECT_EQ(all(load_config(std::nullopt, kHome)), "");
}

TEST(Config, a_file_is_read_whole) {
  const std::string path = ::testing::TempDir() + "embedrouter_config_test.toml";
  std::ofstream(path) << "[server]\nthreads = 5\n";
  EXPECT_EQ(load_config(path, kHome).config.server.threads, 5U);
  std::remove(path.c_str());
}

TEST(Config, oversized_and_deeply_nested_files_are_refused) {
  EXPECT_THAT(all(parse_config(std::string(5U << 20, '#'), kHome)), HasSubstr("larger than 4 MiB"));
  EXPECT_THAT(all(parse_config("a = " + std::string(100'000, '['), kHome)), HasSubstr("this is not TOML"));
}

}  // namespace
}  // namespace embedrouter::catalog
