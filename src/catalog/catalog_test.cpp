#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "catalog/faults_testing.h"

namespace embedrouter::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const EmbeddedFacts kFacts{.width = 384, .max_tokens = 256, .precision = "bf16", .space = "minilm:bf16:0a1b"};

constexpr std::string_view kFile = R"(
[[provider]]
slug = "openai"
name = "OpenAI"
base_url = "https://api.openai.com/v1"
policy = { training = false }
[[provider]]
slug = "tei"
base_url = "http://10.0.0.1"

[[model]]
id = "openai/Small"
aliases = ["small"]
dimensions = 1536
matryoshka = [512]
context_length = 8192
created = 1700000000
[[model.endpoint]]
provider = "openai"
upstream_model = "text-embedding-3-small"
pricing.prompt = "0.000000020"
[[model.endpoint]]
provider = "tei"
quantization = "fp16"
normalized = false

[[model]]
id = "x/old"
dimensions = 8
[[model.endpoint]]
provider = "tei"
space = "own"

[[model]]
id = "x/twin"
dimensions = 8
created = 1700000000
[[model.endpoint]]
provider = "tei"
)";

std::shared_ptr<const Catalog> build(std::string_view file, const EmbeddedFacts* embedded) {
  const auto outcome = parse_config(file, kHome);
  EXPECT_EQ(all(outcome), "");
  auto catalog = Catalog::build(outcome.config, embedded);
  EXPECT_TRUE(catalog) << catalog.error().message();
  return catalog ? *catalog : nullptr;
}

TEST(Catalog, lists_further_embedded_models_as_free_and_local) {
  EmbeddedFacts facts = kFacts;
  facts.width = 768;
  facts.symmetric = false;
  facts.input_types = {"query"};
  facts.space = "BAAI/bge#fp32-01";
  facts.id = "BAAI/bge";
  facts.created = 1'700'000'001;
  const std::vector<EmbeddedFacts> further{facts};
  const auto outcome = parse_config(kFile, kHome);
  const auto catalog = Catalog::build(outcome.config, &kFacts, further);
  ASSERT_TRUE(catalog) << catalog.error().message();
  const Model* model = (*catalog)->find("baai/BGE");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->dimensions, 768U);
  EXPECT_EQ(model->context_length, 256U);
  EXPECT_FALSE(model->symmetric);
  EXPECT_TRUE(model->aliases.empty());
  const Endpoint& endpoint = model->endpoints.at(0);
  EXPECT_EQ(endpoint.id, "BAAI/bge@local");
  EXPECT_EQ(endpoint.space, "BAAI/bge#fp32-01");
  EXPECT_EQ(endpoint.input_types, facts.input_types);
  EXPECT_EQ(endpoint.pico_usd_per_token, 0);
  EXPECT_TRUE(endpoint.embedded);
  EXPECT_EQ((*catalog)->listed()[0], model);
  EXPECT_EQ((*catalog)->find("Taurus")->id, kEmbeddedModelId);

  std::vector<EmbeddedFacts> taken = further;
  taken[0].id = "x/OLD";
  EXPECT_FALSE(Catalog::build(outcome.config, &kFacts, taken));
}

TEST(Catalog, another_embedded_model_has_its_own_id_prompts_and_widths) {
  EmbeddedFacts facts = kFacts;
  facts.symmetric = facts.normalized = false;
  facts.input_types = {"query", "document", "sts"};
  const auto catalog = build("[embedded]\nid = \"intfloat/e5\"\nmatryoshka = [64, 128]\n", &facts);
  const Model* model = catalog->find("intfloat/e5");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(catalog->find("Taurus"), model);
  EXPECT_EQ(catalog->find(kEmbeddedModelId), nullptr);
  EXPECT_FALSE(model->symmetric);
  EXPECT_EQ(model->matryoshka, (std::vector<std::uint32_t>{64, 128}));
  const Endpoint& endpoint = model->endpoints.front();
  EXPECT_EQ(endpoint.id, "intfloat/e5@local");
  EXPECT_TRUE(endpoint.dimensions);
  EXPECT_FALSE(endpoint.normalized);
  EXPECT_EQ(endpoint.input_types, facts.input_types);
}

TEST(Catalog, widths_that_the_embedded_model_does_not_have_are_refused) {
  const auto outcome = parse_config("[embedded]\nmatryoshka = [384]\n", kHome);
  ASSERT_EQ(all(outcome), "");
  const auto catalog = Catalog::build(outcome.config, &kFacts);
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().message(),
            "[embedded] matryoshka: expected widths less than the model's, which is 384");
}

TEST(Catalog, finds_by_id_and_alias_ignoring_case) {
  const auto catalog = build(kFile, &kFacts);
  const Model* model = catalog->find("openai/small");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->id, "openai/Small");
  EXPECT_EQ(catalog->find("SMALL"), model);
  EXPECT_EQ(catalog->find("OpenAI/SMALL"), model);
  EXPECT_EQ(catalog->find("smal"), nullptr);
  EXPECT_EQ(catalog->find(""), nullptr);
  EXPECT_EQ(catalog->find(std::string(100'000, 'a')), nullptr);
}

TEST(Catalog, an_endpoint_holds_what_routing_needs) {
  const auto catalog = build(kFile, &kFacts);
  const Model* model = catalog->find("small");
  ASSERT_NE(model, nullptr);
  ASSERT_EQ(model->endpoints.size(), 2U);
  const Endpoint& openai = model->endpoints[0];
  EXPECT_EQ(openai.id, "openai/Small@openai");
  EXPECT_EQ(openai.model, model);
  EXPECT_EQ(openai.provider_name, "OpenAI");
  EXPECT_EQ(openai.upstream_model, "text-embedding-3-small");
  EXPECT_EQ(openai.pico_usd_per_token, 20'000);
  EXPECT_EQ(openai.price_prompt, "0.00000002");
  EXPECT_EQ(openai.space, "openai/Small:unknown");
  EXPECT_TRUE(openai.dimensions);
  EXPECT_FALSE(openai.policy.training);
  EXPECT_FALSE(openai.embedded);
  EXPECT_EQ(model->endpoints[1].space, "openai/Small:fp16");
  EXPECT_FALSE(model->normalized);  // one of its endpoints is not
  EXPECT_EQ(catalog->find("x/old")->endpoints[0].space, "own");
  EXPECT_TRUE(catalog->find("x/old")->normalized);
}

TEST(Catalog, a_slash_in_a_slug_begins_a_region_or_a_tier) {
  EXPECT_EQ(tier_of("a"), Tier::standard);
  EXPECT_EQ(tier_of("a/eu"), Tier::standard);
  EXPECT_EQ(tier_of("priority"), Tier::standard);
  EXPECT_EQ(tier_of("a/priority"), Tier::priority);
  EXPECT_EQ(tier_of("a/flex"), Tier::flex);
  for (const Tier tier : {Tier::priority, Tier::flex})
    EXPECT_EQ(tier_of("a/" + std::string(name_of(tier))), tier);
  EXPECT_EQ(name_of(Tier::standard), "");
}

TEST(Catalog, a_base_slug_names_its_regions_and_no_tier) {
  struct Row {
    std::string_view slug, name;
    bool named;
  };
  for (const auto& [slug, name, named] :
       {Row{"vertex/us-east5", "vertex", true}, Row{"vertex/us-east5", "Vertex/US-east5", true},
        Row{"vertex/us-east5", "vertex/us", false}, Row{"vertex/us-east5", "ver", false},
        Row{"vertex", "vertex/us-east5", false}, Row{"openai/priority", "openai", false},
        Row{"openai/priority", "openai/priority", true}, Row{"openai/flex", "the name", true}}) {
    Endpoint endpoint;
    endpoint.provider_slug = slug;
    endpoint.provider_name = "The Name";
    endpoint.tier = tier_of(slug);
    EXPECT_EQ(names(name, endpoint), named) << slug << " by " << name;
  }
}

TEST(Catalog, lists_the_newest_first_and_equals_as_configured) {
  const auto catalog = build(kFile, &kFacts);
  std::vector<std::string> ids;
  for (const Model* model : catalog->listed()) ids.push_back(model->id);
  EXPECT_THAT(ids, ElementsAre("openai/Small", "x/twin", std::string(kEmbeddedModelId), "x/old"));
}

TEST(Catalog, endpoint_ids_are_unique) {
  const auto catalog = build(kFile, &kFacts);
  std::set<std::string> ids;
  std::size_t count = 0;
  for (const Model* model : catalog->listed()) {
    for (const Endpoint& endpoint : model->endpoints) {
      ids.insert(endpoint.id);
      ++count;
    }
  }
  EXPECT_EQ(count, 5U);
  EXPECT_EQ(ids.size(), count);
}

TEST(Catalog, the_embedded_model_is_built_in) {
  const auto catalog = build("", &kFacts);
  const Model* model = catalog->find("taurus");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model, catalog->find("sentence-transformers/all-MiniLM-L6-v2"));
  EXPECT_EQ(model->dimensions, 384U);
  EXPECT_EQ(model->context_length, 256U);
  EXPECT_TRUE(model->symmetric);
  EXPECT_TRUE(model->matryoshka.empty());
  ASSERT_EQ(model->endpoints.size(), 1U);
  const Endpoint& endpoint = model->endpoints[0];
  EXPECT_TRUE(endpoint.embedded);
  EXPECT_EQ(endpoint.provider_slug, "local");
  EXPECT_EQ(endpoint.provider_name, "Local");
  EXPECT_EQ(endpoint.quantization, "bf16");
  EXPECT_EQ(endpoint.space, "minilm:bf16:0a1b");
  EXPECT_EQ(endpoint.pico_usd_per_token, 0);
  EXPECT_EQ(endpoint.price_prompt, "0");
  EXPECT_TRUE(endpoint.encodings_float && endpoint.encodings_base64);
  EXPECT_FALSE(endpoint.token_ids);
  EXPECT_TRUE(catalog->providers().empty());
}

TEST(Catalog, without_the_embedded_model_its_names_are_unknown) {
  const auto catalog = build("", nullptr);
  EXPECT_EQ(catalog->find("Taurus"), nullptr);
  EXPECT_TRUE(catalog->listed().empty());
}

TEST(Catalog, a_model_that_claims_the_embedded_name_is_refused) {
  const auto outcome = parse_config(
      "[embedded]\nenabled = false\n[[provider]]\nslug = \"a\"\nbase_url = \"http://h\"\n"
      "[[model]]\nid = \"a/b\"\naliases = [\"TAURUS\"]\ndimensions = 4\n[[model.endpoint]]\nprovider = \"a\"",
      kHome);
  ASSERT_EQ(all(outcome), "");
  EXPECT_TRUE(Catalog::build(outcome.config, nullptr));
  const auto catalog = Catalog::build(outcome.config, &kFacts);
  ASSERT_FALSE(catalog);
  EXPECT_THAT(catalog.error().message(), HasSubstr("model a/b: its id or an alias is another model's"));
}

}  // namespace
}  // namespace embedrouter::catalog
