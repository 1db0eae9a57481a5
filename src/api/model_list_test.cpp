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
    return encode_model_list(all, *parse_page(query), "/v1/embeddings/models");
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
  EXPECT_TRUE(holds(page_of("offset=2&limit=2"), R"("next":null)"));
  EXPECT_TRUE(holds(page_of("offset=9"), R"({"data":[],"total_count":3,)"));
}

TEST(ModelList, refuses_pages_that_cannot_be) {
  for (const char* query : {"limit=0", "limit=1001", "limit=x", "limit=", "limit", "offset=-1", "offset=1.5",
                            "offset=", "a=b&limit=-5", "offset=99999999999999999999"}) {
    const auto page = parse_page(query);
    ASSERT_FALSE(page) << query;
    EXPECT_EQ(page.error().http_status(), 400);
  }
  EXPECT_EQ(parse_page("x=1&offset=7&y")->offset, 7U);
  EXPECT_EQ(parse_page("offset=7")->limit, 500U);
}

TEST(ModelList, what_is_written_can_be_read) {
  const std::vector<ListedModel> all{model_named("a/1"), model_named("a/\"2\"")};
  const auto read = decode_model_list(encode_model_list(all, {}, "/x"));
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
