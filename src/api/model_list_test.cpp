#include "api/model_list.h"

#include <gtest/gtest.h>

namespace embedrouter::api {
namespace {

ListedModel model_named(std::string_view id) {
  ListedModel model;
  model.id = model.name = id;
  model.created = 1'700'000'000;
  model.context_length = 256;
  model.dimensions = 384;
  model.price_prompt = "0.00000002";
  return model;
}

TEST(ModelList, an_entry_has_every_required_member) {
  std::string json;
  append_model(json, model_named("a/b"));
  for (const char* required :
       {"\"id\":\"a/b\"", "\"canonical_slug\":\"a/b\"", "\"name\":", "\"created\":1700000000",
        "\"context_length\":256", "\"input_modalities\":[\"text\"]", "\"output_modalities\":[\"embeddings\"]",
        "\"modality\":\"text->embeddings\"", "\"pricing\":{\"prompt\":\"0.00000002\",\"completion\":\"0\"",
        "\"is_moderated\":false", "\"per_request_limits\":null", "\"supported_parameters\":[",
        "\"default_parameters\":null", "\"supported_voices\":null",
        "\"details\":\"/api/v1/models/a/b/endpoints\"", "\"dimensions\":384"}) {
    EXPECT_NE(json.find(required), std::string::npos) << required << "\n" << json;
  }
}

TEST(ModelList, pages_and_says_where_the_next_begins) {
  const std::vector<ListedModel> all{model_named("a/1"), model_named("a/2"), model_named("a/3")};
  const auto page_of = [&](const char* query) {
    return encode_model_list(all, *parse_page(query), "/v1/embeddings/models", query);
  };
  const auto holds = [](const std::string& json, const char* text) {
    return json.find(text) != std::string::npos;
  };
  EXPECT_TRUE(holds(page_of(""), "a/3"));
  EXPECT_TRUE(holds(page_of(""), R"("total_count":3,"links":{"next":null}})"));
  const std::string first = page_of("offset=0&limit=2");
  EXPECT_TRUE(holds(first, "a/2"));
  EXPECT_FALSE(holds(first, "a/3"));
  EXPECT_TRUE(holds(first, R"("next":"/v1/embeddings/models?offset=2&limit=2")"));
  EXPECT_TRUE(
      holds(page_of("q=a%20b&limit=1"), R"("next":"/v1/embeddings/models?q=a%20b&offset=1&limit=1")"));
  EXPECT_TRUE(holds(page_of("offset=2&limit=2"), R"("next":null)"));
  EXPECT_TRUE(holds(page_of("offset=9"), R"("data":[],"total_count":3,)"));
}

TEST(ModelList, a_list_of_endpoints_shows_what_was_measured_and_null_where_nothing_was) {
  ListedModel model = model_named("a/b");
  ListedEndpoint endpoint;
  endpoint.provider = "Acme";
  endpoint.provider_slug = "acme";
  endpoint.price_prompt = "0.00000002";
  model.endpoints = {endpoint};
  const std::string unmeasured = encode_model_endpoints(model);
  for (const char* name : {"uptime_last_5m", "uptime_last_30m", "uptime_last_1d", "latency_last_30m",
                           "throughput_last_30m", "max_completion_tokens", "service_tier", "tokenizer"}) {
    EXPECT_NE(unmeasured.find("\"" + std::string(name) + "\":null"), std::string::npos) << name << unmeasured;
  }
  MeasuredEndpoint& measured = model.endpoints[0].measured;
  measured.uptime_5m = 100;
  measured.uptime_30m = 99.86;
  measured.latency_ms = measured.throughput = {1.25, 2, 3, 4.0004};
  measured.answers = 7;
  const std::string anonymous = encode_model_endpoints(model);
  EXPECT_NE(anonymous.find(R"("uptime_last_5m":100,"uptime_last_30m":99.86,"uptime_last_1d":null)"),
            std::string::npos)
      << anonymous;
  EXPECT_NE(
      anonymous.find(R"("latency_last_30m":null,"throughput_last_30m":{"p50":1.25,"p75":2,"p90":3,"p99":4})"),
      std::string::npos)
      << anonymous;
  measured.with_latency = true;
  const std::string known = encode_model_endpoints(model);
  EXPECT_NE(known.find(R"("latency_last_30m":{"p50":1.25)"), std::string::npos) << known;
  EXPECT_NE(known.find(R"("request_count":7)"), std::string::npos) << known;
}

TEST(ModelList, the_zdr_list_holds_those_endpoints_alone) {
  ListedModel model = model_named("a/b");
  model.endpoints.resize(2);
  model.endpoints[0].provider = "Keeps";
  model.endpoints[1].provider = "Forgets";
  model.endpoints[1].zdr = true;
  const std::string json = encode_zdr_endpoints(std::vector{model});
  EXPECT_EQ(json.find("Keeps"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("name":"Forgets | a/b")"), std::string::npos) << json;
}

TEST(ModelList, what_is_written_can_be_read) {
  const std::vector<ListedModel> all{model_named("a/1"), model_named("a/\"2\"")};
  const auto read = decode_model_list(encode_model_list(all, {}, "/x", ""));
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[1].id, "a/\"2\"");
  EXPECT_EQ((*read)[1].dimensions, 384U);
  EXPECT_EQ((*read)[1].price_prompt, "0.00000002");
  for (const char* bad : {"", "{}", "[]", R"({"data":[)", R"({"data":{}})", R"({"data":[]} x)"})
    EXPECT_FALSE(decode_model_list(bad)) << bad;
}

}  // namespace
}  // namespace embedrouter::api
