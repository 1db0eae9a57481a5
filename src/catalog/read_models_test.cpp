#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/config.h"
#include "catalog/faults_testing.h"

namespace embedrouter::catalog {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A sound provider on lines 1 to 3 and a sound model on lines 4 to 8; a case adds to it.
constexpr std::string_view kProvider =
    "[[provider]]\nslug = \"openai\"\nbase_url = \"https://api.openai.com/v1\"\n";
constexpr std::string_view kModel =
    "[[model]]\nid = \"openai/small\"\ndimensions = 1536\n[[model.endpoint]]\nprovider = \"openai\"\n";

std::string sound() {
  return std::string(kProvider) + std::string(kModel);
}

TEST(Models, everything_a_file_can_say_is_read) {
  const auto outcome = parse_config(R"(
[[provider]]
slug = "openai"
name = "OpenAI"
dialect = "openai"
base_url = "https://api.openai.com/v1/"
api_key_env = "OPENAI_API_KEY"
ca_file = "~/ca.pem"
client_cert_file = "~/me.pem"
client_key_file = "~/me.key"
proxy = "http://proxy.example:3128"
http2 = false
compression = true
policy = { zdr = true, training = false }
connect_timeout = "1s"
first_byte_timeout = "2s"
idle_timeout = "3s"
max_concurrency = 9

[[provider]]
slug = "tei"
base_url = "http://10.0.0.1:8080"
api_key_file = "/run/key"

[[model]]
id = "openai/text-embedding-3-small"
name = "Small"
description = "For search."
aliases = ["small", "text-embedding-3-small"]
dimensions = 1536
matryoshka = [256, 512, 1024]
context_length = 8192
created = 1706140800
tokenizer = "GPT"
symmetric = true
distillable = true
[[model.endpoint]]
provider = "openai"
upstream_model = "text-embedding-3-small"
pricing.prompt = "0.00000002"
max_batch_items = 100
max_batch_tokens = 300000
max_batch_bytes = 4000000
space = "te3s"
quantization = "fp16"
normalized = false
encodings = ["float"]
token_ids = true
input_types = ["search_query", "search_document"]
[[model.endpoint]]
provider = "tei"
dimensions = false
)",
                                    kHome);
  ASSERT_EQ(all(outcome), "");
  ASSERT_EQ(outcome.config.providers.size(), 2U);
  const ProviderConfig& openai = outcome.config.providers[0];
  EXPECT_EQ(openai.name, "OpenAI");
  EXPECT_EQ(openai.base_url, "https://api.openai.com/v1");
  EXPECT_EQ(openai.api_key_envs, std::vector<std::string>{"OPENAI_API_KEY"});
  EXPECT_FALSE(openai.policy_fallback);
  EXPECT_EQ(openai.ca_file, "/home/u/ca.pem");
  EXPECT_EQ(openai.client_cert_file, "/home/u/me.pem");
  EXPECT_EQ(openai.client_key_file, "/home/u/me.key");
  EXPECT_EQ(openai.proxy, "http://proxy.example:3128");
  EXPECT_FALSE(openai.http2);
  EXPECT_TRUE(openai.compression);
  EXPECT_TRUE(openai.policy.zdr);
  EXPECT_FALSE(openai.policy.training);
  EXPECT_EQ(openai.connect_timeout, milliseconds(1'000));
  EXPECT_EQ(openai.first_byte_timeout, milliseconds(2'000));
  EXPECT_EQ(openai.idle_timeout, milliseconds(3'000));
  EXPECT_EQ(openai.max_concurrency, 9U);
  const ProviderConfig& tei = outcome.config.providers[1];
  EXPECT_EQ(tei.name, "tei");
  EXPECT_EQ(tei.api_key_files, std::vector<std::string>{"/run/key"});
  EXPECT_TRUE(tei.policy.training);  // what is not declared may happen

  ASSERT_EQ(outcome.config.models.size(), 1U);
  const ModelConfig& model = outcome.config.models[0];
  EXPECT_EQ(model.name, "Small");
  EXPECT_EQ(model.description, "For search.");
  EXPECT_THAT(model.aliases, ElementsAre("small", "text-embedding-3-small"));
  EXPECT_EQ(model.dimensions, 1536U);
  EXPECT_THAT(model.matryoshka, ElementsAre(256, 512, 1024));
  EXPECT_EQ(model.context_length, 8192U);
  EXPECT_EQ(model.created, 1706140800);
  EXPECT_EQ(model.tokenizer, "GPT");
  EXPECT_TRUE(model.symmetric);
  EXPECT_TRUE(model.distillable);

  ASSERT_EQ(model.endpoints.size(), 2U);
  const EndpointConfig& first = model.endpoints[0];
  EXPECT_EQ(first.upstream_model, "text-embedding-3-small");
  EXPECT_EQ(first.price_prompt, "0.00000002");
  EXPECT_EQ(first.max_batch_items, 100U);
  EXPECT_EQ(first.max_batch_tokens, 300'000U);
  EXPECT_EQ(first.max_batch_bytes, 4'000'000U);
  EXPECT_EQ(first.space, "te3s");
  EXPECT_EQ(first.quantization, "fp16");
  EXPECT_FALSE(first.normalized);
  EXPECT_TRUE(first.encodings_float);
  EXPECT_FALSE(first.encodings_base64);
  EXPECT_TRUE(first.token_ids);
  EXPECT_TRUE(first.dimensions);  // since the model declares matryoshka
  EXPECT_THAT(first.input_types, ElementsAre("search_query", "search_document"));
  const EndpointConfig& second = model.endpoints[1];
  EXPECT_EQ(second.upstream_model, "openai/text-embedding-3-small");
  EXPECT_EQ(second.price_prompt, "0");
  EXPECT_EQ(second.quantization, "unknown");
  EXPECT_TRUE(second.encodings_base64);
  EXPECT_FALSE(second.dimensions);
}

struct Case {
  std::string toml;
  std::uint32_t line;
  const char* message;
};

void expect_one_fault(const Case& c) {
  const auto outcome = parse_config(c.toml, kHome);
  ASSERT_EQ(outcome.faults.size(), 1U) << c.toml << "\n" << all(outcome);
  EXPECT_EQ(outcome.faults[0].line, c.line) << c.toml << "\n" << all(outcome);
  EXPECT_THAT(outcome.faults[0].message, HasSubstr(c.message)) << c.toml;
}

TEST(Models, each_fault_of_a_provider_names_its_line_and_key) {
  const std::string good(kProvider);
  const std::string url = "base_url = \"https://h\"\n";
  const Case cases[] = {
      {"[[provider]]\n" + url, 1, "[[provider]] slug: is missing; add one"},
      {"[[provider]]\nslug = \"OpenAI\"\n" + url, 2, "[[provider]] slug: expected lower-case letters"},
      {"[[provider]]\nslug = 1\n" + url, 2, "[[provider]] slug: expected a string"},
      {"[[provider]]\nslug = \"local\"\n" + url, 2, "[[provider]] local slug: is the embedded model's"},
      {good + "[[provider]]\nslug = \"openai\"\n" + url, 5, "is already the provider on line 2"},
      {"[[provider]]\nslug = \"a\"", 1, "[[provider]] a base_url: is missing"},
      {"[[provider]]\nslug = \"a\"\n" + url + "status_page_url = \"status\"", 4,
       "[[provider]] a status_page_url: expected the address of a page"},
      {"[[provider]]\nslug = \"a\"\nbase_url = \"h:80\"", 3,
       "[[provider]] a base_url: expected http:// or https://"},
      {good + "proxy = \"http://u:p@h:1\"", 4, "HTTPS_PROXY"},
      {good + "proxy = \"https://h\"", 4, "[[provider]] openai proxy: expected \"http://host:port\""},
      {good + "proxy = \"http://h/p\"", 4, "proxy: expected"},
      {good + "client_cert_file = \"/c\"", 1, "client_key_file: is missing"},
      {"[[provider]]\nslug = \"a\"\nbase_url = \"https://u:p@h\"", 3, "without user, query or fragment"},
      {good + "api_key = \"x\"", 4,
       "[[provider]] openai api_key: a key does not belong in this file; put it into an environment"},
      {good + "api_key_env = \"sk-or-v1-1\"", 4,
       "[[provider]] openai api_key_env: expected the name of an environment variable"},
      {good + "api_key_env = [\"A\", \"sk-or-v1-1\"]", 4,
       "[[provider]] openai api_key_env: expected the name of an environment variable"},
      {good + "api_key_env = [\"A\", \"B\", \"A\"]", 4, "has an entry twice; leave one out"},
      {good + "api_key_file = []", 4, "is an empty list"},
      {good + "api_key_env = [1]", 4, "expected an array of strings"},
      {good + "api_key_env = true", 4, "expected a string or an array of strings"},
      {good + "api_key_env = \"A\"\napi_key_file = \"/f\"", 5, "stands beside api_key_env; keep one of them"},
      {good + "policy = { zrd = true }", 4, "[[provider]] openai policy zrd: is unknown; did you mean zdr?"},
      {good + "policy = true", 4, "[[provider]] openai policy: expected a table, found true or false"},
      {good + "connect_timeout = 5", 4, "such as \"30s\""},
      {good + "max_concurrency = 0", 4, "expected an integer from 1 to 65536"},
      {good + "name = \"\"", 4, "[[provider]] openai name: expected 1 to 200 bytes"},
      {good + "name = \"a\\u0000b\"", 4, "without control characters"},
      {good + "name = \"Local\"", 4, "[[provider]] openai name: another provider has this slug or name"},
      {good + "[[provider]]\nslug = \"b\"\nname = \"OPENAI\"\n" + url, 6,
       "[[provider]] b name: another provider has this slug or name"},
      {good + "base_ulr = \"x\"", 4, "base_ulr: is unknown; did you mean base_url?"},
      {"[provider]\nslug = \"a\"", 1,
       "provider: expected an array of tables, found a table; write [[provider]]"},
      {"provider = [1]", 1, "provider: expected an array of tables, found an integer"},
  };
  for (const Case& c : cases) expect_one_fault(c);
}

TEST(Models, each_fault_of_a_model_names_its_line_and_key) {
  const std::string head = std::string(kProvider) + "[[model]]\n";  // line 4
  const std::string tail = "[[model.endpoint]]\nprovider = \"openai\"\n";
  const std::string id = "id = \"a/b\"\n";
  const std::string width = "dimensions = 8\n";
  const Case cases[] = {
      {head + width + tail, 4, "[[model]] id: is missing"},
      {head + "id = \"small\"\n" + width + tail, 5, "[[model]] id: expected \"author/slug\""},
      {head + "id = \"a/b:nitro\"\n" + width + tail, 5, "begin suffixes and presets"},
      {head + id + tail, 4, "[[model]] a/b dimensions: is missing"},
      {head + id + "dimensions = 0\n" + tail, 6, "[[model]] a/b dimensions: expected an integer from 1"},
      {head + id + width + "matryoshka = [4, 2]\n" + tail, 7, "matryoshka: expected ascending widths"},
      {head + id + width + "matryoshka = [4, 4]\n" + tail, 7, "matryoshka: expected ascending widths"},
      {head + id + width + "matryoshka = [\n4,\n8]\n" + tail, 9,
       "matryoshka: expected widths less than dimensions"},
      {head + id + width + "matryoshka = [0]\n" + tail, 7, "matryoshka: expected integers from 1"},
      {head + id + width + "matryoshka = 4\n" + tail, 7,
       "expected an array of integers, found an integer; put it in brackets"},
      {head + id + width + "aliases = \"x\"\n" + tail, 7,
       "expected an array of strings, found a string; put it in brackets"},
      {head + id + width + "aliases = [\"x@y\"]\n" + tail, 7, "aliases: expected names of letters"},
      {head + id + width + "aliases = [\"x\",\n\"X\"]\n" + tail, 8,
       "is already the id or alias of a model on line 7"},
      {head + id + width + "aliases = [\"A/B\"]\n" + tail, 7,
       "is already the id or alias of a model on line 5"},
      {head + id + width + "aliases = [\"taurus\"]\n" + tail, 7, "aliases: belongs to the embedded model"},
      {head + "id = \"Sentence-Transformers/all-MiniLM-L6-v2\"\n" + width + tail, 5,
       "id: belongs to the embedded model"},
      {head + id + width + "context_length = -1\n" + tail, 7, "context_length: expected an integer from 0"},
      {head + id + width + "created = 2024-01-25\n" + tail, 7,
       "created: expected an integer from 0 to 253402300799, found a date"},
      {head + id + width, 4, "[[model]] a/b endpoint: is missing: nothing serves the model"},
      {head + id + width + "dims = 3\n" + tail, 7, "[[model]] a/b dims: is unknown"},
      {sound() + "[[model]]\nid = \"OpenAI/Small\"\n" + width + tail, 10,
       "is already the id or alias of a model on line 5"},
  };
  for (const Case& c : cases) expect_one_fault(c);
}

TEST(Models, each_fault_of_an_endpoint_names_its_line_and_key) {
  const std::string model =
      std::string(kProvider) + "[[model]]\nid = \"a/b\"\ndimensions = 8\n[[model.endpoint]]\n";  // line 7
  const std::string good = sound();                                                              // 8 lines
  const Case cases[] = {
      {model, 7, "[[model.endpoint]] of a/b: provider: is missing"},
      {model + "provider = \"opena\"", 8,
       "provider: is no slug of a [[provider]] in this file; did you mean \"openai\"?"},
      {model + "provider = \"zzz\"", 8, "provider: is no slug of a [[provider]] in this file; add one"},
      {model + "provider = \"local\"", 8, "\"local\" is the embedded model"},
      {good + "pricing.prompt = 0.02", 9,
       "pricing prompt: expected a string, found a number with a fraction; put it in quotes"},
      {good + "pricing.prompt = \"2e-8\"", 9, "expected USD per token as a decimal"},
      {good + "pricing.prompt = \"0.02\"", 9, "is it the price of a million tokens?"},
      {good + "pricing.completion = \"0\"", 9, "pricing completion: is unknown"},
      {good + "max_batch_items = 0", 9, "max_batch_items: expected an integer from 1"},
      {good + "quantization = \"fp61\"", 9, "quantization: expected \"int4\""},
      {good + "space = \"a b\"", 9, "space: expected 1 to 200 visible ASCII"},
      {good + "encodings = []", 9, "encodings: expected [\"float\"], [\"base64\"] or"},
      {good + "encodings = [\"int8\"]", 9, "encodings: expected [\"float\"], [\"base64\"] or"},
      {good + "input_types = [\"\"]", 9, "input_types: expected kinds of 1 to 64 bytes"},
      {good + "upstream_model = \"\"", 9, "upstream_model: expected 1 to 200 bytes"},
      {good + "[[model.endpoint]]\nprovider = \"openai\"", 10,
       "already has an endpoint of this model on line 8"},
      {good + "token_id = true", 9, "token_id: is unknown; did you mean token_ids?"},
  };
  for (const Case& c : cases) expect_one_fault(c);
}

TEST(Models, the_embedded_models_names_are_free_when_it_is_off) {
  const auto outcome =
      parse_config("[embedded]\nenabled = false\n" + std::string(kProvider) +
                       "[[model]]\nid = \"sentence-transformers/all-minilm-l6-v2\"\naliases = [\"Taurus\"]\n"
                       "dimensions = 384\n[[model.endpoint]]\nprovider = \"openai\"",
                   kHome);
  EXPECT_EQ(all(outcome), "");
}

TEST(Models, a_dialect_is_one_of_those_that_are_built_in) {
  ConfigEnvironment environment = kHome;
  environment.dialects = {{.name = "openai"}, {.name = "cohere"}};
  const std::string good(kProvider);
  EXPECT_EQ(all(parse_config(good + "dialect = \"cohere\"", environment)), "");
  EXPECT_EQ(all(parse_config(good + "dialect = \"coher\"", environment)),
            "4: [[provider]] openai dialect: expected \"openai\" or \"cohere\"; did you mean \"cohere\"?\n");
}

TEST(Models, a_dialect_says_what_its_endpoints_may_declare_and_what_they_have_undeclared) {
  ConfigEnvironment environment = kHome;
  environment.dialects = {{.name = "openai"},
                          {.name = "plain",
                           .base64 = false,
                           .token_ids = false,
                           .dimensions = false,
                           .input_types = false,
                           .max_batch_items = 32}};
  const std::string plain = "[[provider]]\nslug = \"openai\"\ndialect = \"plain\"\nbase_url = \"http://h\"\n";
  const std::string model =
      "[[model]]\nid = \"a/b\"\ndimensions = 8\nmatryoshka = [4]\n[[model.endpoint]]\nprovider = "
      "\"openai\"\n";

  const auto undeclared = parse_config(plain + model, environment);
  ASSERT_EQ(all(undeclared), "");
  const EndpointConfig& endpoint = undeclared.config.models[0].endpoints[0];
  EXPECT_EQ(endpoint.max_batch_items, 32U);
  EXPECT_TRUE(endpoint.encodings_float);
  EXPECT_FALSE(endpoint.encodings_base64);
  EXPECT_FALSE(endpoint.dimensions);
  EXPECT_EQ(parse_config(plain + model + "max_batch_items = 64", environment)
                .config.models[0]
                .endpoints[0]
                .max_batch_items,
            64U);

  for (const char* more :
       {"encodings = [\"base64\"]", "token_ids = true", "dimensions = true", "input_types = [\"query\"]"}) {
    const std::string key = std::string(more).substr(0, std::string_view(more).find(' '));
    EXPECT_THAT(all(parse_config(plain + model + more, environment)),
                ::testing::AllOf(HasSubstr("11: [[model.endpoint]] of a/b: openai " + key),
                                 HasSubstr("\"plain\" has no place")))
        << more;
    EXPECT_EQ(all(parse_config(std::string(kProvider) + model + more, environment)), "") << more;
  }
}

}  // namespace
}  // namespace embedrouter::catalog
