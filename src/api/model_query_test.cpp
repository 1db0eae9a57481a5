#include "api/model_query.h"

#include <gtest/gtest.h>

#include "api/model_list.h"
#include "api/query_string.h"

namespace embedrouter::api {
namespace {

TEST(ModelQuery, refuses_pages_that_cannot_be) {
  for (const char* query : {"limit=0", "limit=1001", "limit=x", "limit=", "limit", "offset=-1", "offset=1.5",
                            "offset=", "a=b&limit=-5", "offset=99999999999999999999"}) {
    const auto page = parse_page(query);
    ASSERT_FALSE(page) << query;
    EXPECT_EQ(page.error().http_status(), 400);
  }
  EXPECT_EQ(parse_page("x=1&offset=7&y")->offset, 7U);
  EXPECT_EQ(parse_page("offset=7")->limit, 500U);
}

constexpr std::int64_t kNow = 1'800'000'000;

std::vector<ListedModel> catalog() {
  static const std::uint32_t kWidths[] = {64};
  const auto model = [](std::string_view id, std::int64_t price, std::uint32_t context,
                        std::int64_t age_days) {
    ListedModel made;
    made.id = made.name = id;
    made.pico_usd_per_token = price;
    made.context_length = context;
    made.created = kNow - age_days * 86'400;
    return made;
  };
  std::vector<ListedModel> models{model("openai/small", 20'000, 8192, 10),
                                  model("cohere/v3", 100'000, 512, 100), model("local/mini", 0, 0, 1000)};
  models[0].tokenizer = "GPT";
  models[0].matryoshka = kWidths;
  models[1].input_types = {"search_query"};
  models[1].distillable = true;
  ListedEndpoint endpoint;
  endpoint.provider = "Acme AI";
  endpoint.provider_slug = "acme";
  endpoint.measured.latency_ms = endpoint.measured.throughput = {5, 5, 5, 5};
  models[0].endpoints = {endpoint};
  endpoint.provider = endpoint.provider_slug = "other";
  endpoint.zdr = true;
  endpoint.measured.latency_ms = endpoint.measured.throughput = {3, 3, 3, 3};
  models[1].endpoints = {endpoint};
  return models;
}

std::string chosen(std::string_view query) {
  const auto wish = parse_model_query(query, "all");
  if (!wish) return wish.error().param();
  std::string ids;
  for (const ListedModel& model : select_models(catalog(), *wish, kNow)) {
    ids += model.id.substr(model.id.find('/') + 1);
    ids += ' ';
  }
  return ids;
}

TEST(ModelQuery, each_filter_is_applied) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "small v3 mini "},
      {"output_modalities=embeddings", "small v3 mini "},
      {"output_modalities=text,Embeddings", "small v3 mini "},
      {"output_modalities=text%2Caudio", ""},
      {"output_modalities=all", "small v3 mini "},
      {"input_modalities=text", "small v3 mini "},
      {"input_modalities=image", ""},
      {"supported_parameters=dimensions", "small "},
      {"supported_parameters=encoding_format,input_type", "v3 "},
      {"providers=ACME", "small "},
      {"providers=Acme+AI,other", "small v3 "},
      {"model_authors=cohere,local", "v3 mini "},
      {"q=SMALL", "small "},
      {"arch=gpt", "small "},
      {"context=8192", "small "},
      {"max_price=0.02", "small mini "},
      {"min_price=0.02&max_price=0.05", "small "},
      {"min_output_price=1", ""},
      {"max_output_price=0", "small v3 mini "},
      {"min_age_days=100", "v3 mini "},
      {"max_age_days=100", "small v3 "},
      {"zdr=true", "v3 "},
      {"zdr=false", "small v3 mini "},
      {"distillable=true", "v3 "},
      {"distillable=false", "small v3 mini "},
      {"colour=red&&x", "small v3 mini "},
  };
  for (const auto& [query, ids] : rows) EXPECT_EQ(chosen(query), ids) << query;
}

TEST(ModelQuery, each_order_puts_what_is_unknown_last) {
  EXPECT_EQ(chosen("sort=newest"), "small v3 mini ");
  EXPECT_EQ(chosen("sort=pricing-low-to-high"), "mini small v3 ");
  EXPECT_EQ(chosen("sort=pricing-high-to-low"), "v3 small mini ");
  EXPECT_EQ(chosen("sort=context-high-to-low"), "small v3 mini ");
  EXPECT_EQ(chosen("sort=latency-low-to-high"), "v3 small mini ");
  EXPECT_EQ(chosen("sort=throughput-high-to-low"), "small v3 mini ");
}

TEST(ModelQuery, what_cannot_be_applied_is_named) {
  for (const char* name :
       {"category", "region", "min_intelligence_index", "max_tool_success_rate", "use_rss"}) {
    EXPECT_EQ(chosen(std::string(name) + "=x"), name);
  }
  for (const char* query :
       {"sort=most-popular", "sort=", "zdr=1", "distillable=", "context=-1", "context=many", "min_price=-1",
        "max_price=nan", "max_price=x", "min_age_days=1.5", "output_modalities=", "providers=a,,b",
        "model_authors=,", "q=%zz", "q=%ff"}) {
    EXPECT_EQ(chosen(query), std::string(query).substr(0, std::string(query).find('='))) << query;
  }
}

TEST(ModelQuery, text_alone_is_the_default_of_openrouter) {
  const auto wish = parse_model_query("limit=5", "text");
  ASSERT_TRUE(wish);
  EXPECT_TRUE(select_models(catalog(), *wish, kNow).empty());
}

TEST(PercentDecode, decodes_a_segment_or_refuses_it) {
  EXPECT_EQ(percent_decode("a%2Fb%3afree+x"), "a/b:free+x");
  for (const char* bad : {"%", "%4", "%4x", "a%", "%ff"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

}  // namespace
}  // namespace embedrouter::api
