#include "api/provider_preferences.h"

#include <gtest/gtest.h>

#include "api/embed_request.h"

namespace embedrouter::api {
namespace {

Result<DecodedRequest> decode(std::string_view provider) {
  return decode_embed_request(Buffer(R"({"model":"m","input":"x","provider":)" + std::string(provider) + "}"),
                              {});
}

TEST(ProviderPreferences, are_what_the_defaults_say_if_nothing_is_given) {
  for (const char* provider :
       {"{}", R"({"order":null,"only":null,"sort":null,"max_price":null,"zdr":null,"data_collection":null,)"
              R"("allow_fallbacks":null,"options":null,"preferred_max_latency":null,"unknown":[1]})"}) {
    const auto decoded = decode(provider);
    ASSERT_TRUE(decoded) << decoded.error().message();
    const ProviderPreferences& p = *decoded->request().provider;
    EXPECT_TRUE(p.order.empty() && p.only.empty() && p.ignore.empty() && p.quantizations.empty() &&
                p.options.empty());
    EXPECT_FALSE(p.has_order || p.has_only || p.require_parameters || p.deny_data_collection || p.zdr ||
                 p.enforce_distillable_text);
    EXPECT_TRUE(p.allow_fallbacks);
    EXPECT_EQ(p.sort, Sort::none);
    EXPECT_FALSE(p.max_price.prompt || p.preferred_max_latency.p50);
  }
}

TEST(ProviderPreferences, reads_every_member) {
  const auto decoded = decode(
      R"({"order":["openai","Deep\u0049nfra/turbo"],"only":[],"ignore":["x"],"allow_fallbacks":false,"require_parameters":true,)"
      R"("data_collection":"deny","zdr":true,"enforce_distillable_text":true,"quantizations":["fp8","bf16"],)"
      R"("sort":{"by":"throughput","partition":"none"},"max_price":{"prompt":"0.5","completion":1,"request":0,"other":{}},)"
      R"("preferred_min_throughput":100,"preferred_max_latency":{"p50":0.25,"p99":2},)"
      R"("options":{"openai":{"a":[1, "\n"]},"x":{}}})");
  ASSERT_TRUE(decoded) << decoded.error().message();
  const ProviderPreferences& p = *decoded->request().provider;
  EXPECT_EQ(p.order, (std::vector<std::string_view>{"openai", "DeepInfra/turbo"}));
  EXPECT_TRUE(p.has_order);
  EXPECT_TRUE(p.has_only);
  EXPECT_TRUE(p.only.empty());
  EXPECT_EQ(p.ignore, std::vector<std::string_view>{"x"});
  EXPECT_FALSE(p.allow_fallbacks);
  EXPECT_TRUE(p.require_parameters && p.deny_data_collection && p.zdr && p.enforce_distillable_text);
  EXPECT_EQ(p.quantizations, (std::vector<std::string_view>{"fp8", "bf16"}));
  EXPECT_EQ(p.sort, Sort::throughput);
  EXPECT_EQ(p.max_price.prompt, 0.5);
  EXPECT_EQ(p.max_price.completion, 1.0);
  EXPECT_EQ(p.max_price.request, 0.0);
  EXPECT_FALSE(p.max_price.image);
  EXPECT_EQ(p.preferred_min_throughput.p50, 100.0);
  EXPECT_EQ(p.preferred_max_latency.p50, 0.25);
  EXPECT_EQ(p.preferred_max_latency.p99, 2.0);
  ASSERT_EQ(p.options.size(), 2U);
  EXPECT_EQ(p.options[0].slug, "openai");
  EXPECT_EQ(p.options[0].members, R"("a":[1, "\n"])");
  EXPECT_EQ(p.options[1].members, "");
}

TEST(ProviderPreferences, an_order_of_nobody_is_none) {
  const auto decoded = decode(R"({"order":[]})");
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->request().provider->has_order);
}

TEST(ProviderPreferences, knows_the_names_of_orders) {
  for (const auto& [name, sort] : std::vector<std::pair<std::string, Sort>>{{"price", Sort::price},
                                                                            {"throughput", Sort::throughput},
                                                                            {"latency", Sort::latency},
                                                                            {"exacto", Sort::none}}) {
    const auto decoded = decode(R"({"sort":")" + name + "\"}");
    ASSERT_TRUE(decoded) << name;
    EXPECT_EQ(decoded->request().provider->sort, sort);
  }
}

TEST(ProviderPreferences, names_the_member_that_is_wrong) {
  std::string long_list = R"({"order":["a")";
  for (int i = 0; i < 300; ++i) long_list += R"(,"a")";
  for (const auto& [provider, param] : std::vector<std::pair<std::string, std::string_view>>{
           {"1", "provider"},
           {R"({"order":"openai"})", "provider.order"},
           {R"({"order":[1]})", "provider.order[0]"},
           {R"({"only":["a",""]})", "provider.only[1]"},
           {R"({"ignore":{}})", "provider.ignore"},
           {R"({"quantizations":[null]})", "provider.quantizations[0]"},
           {R"({"allow_fallbacks":"yes"})", "provider.allow_fallbacks"},
           {R"({"zdr":1})", "provider.zdr"},
           {R"({"data_collection":"maybe"})", "provider.data_collection"},
           {R"({"data_collection":true})", "provider.data_collection"},
           {R"({"sort":"cheap"})", "provider.sort"},
           {R"({"sort":1})", "provider.sort"},
           {R"({"sort":{"by":"cheap"}})", "provider.sort.by"},
           {R"({"sort":{"by":"price","partition":"x"}})", "provider.sort.partition"},
           {R"({"max_price":1})", "provider.max_price"},
           {R"({"max_price":{"prompt":-1}})", "provider.max_price.prompt"},
           {R"({"max_price":{"prompt":"1x"}})", "provider.max_price.prompt"},
           {R"({"max_price":{"prompt":""}})", "provider.max_price.prompt"},
           {R"({"max_price":{"prompt":"NaN"}})", "provider.max_price.prompt"},
           {R"({"max_price":{"prompt":1e999}})", "provider.max_price.prompt"},
           {R"({"max_price":{"image":[]}})", "provider.max_price.image"},
           {R"({"max_price":{"image":1,"image":2}})", "provider.max_price.image"},
           {R"({"preferred_min_throughput":"fast"})", "provider.preferred_min_throughput"},
           {R"({"preferred_max_latency":{"p50":"1"}})", "provider.preferred_max_latency.p50"},
           {R"({"options":[]})", "provider.options"},
           {R"({"options":{"a":1}})", "provider.options"},
           {R"({"options":{"a":{"b":1},"a":{}}})", "provider.options"},
           {R"({"options":{"a":{"b":1,"b":2}}})", "provider.options.a"},
           {R"({"options":{"a":{"\u0062":1}}})", "provider.options.a"},
           {R"({"options":{"a":{"input":"other text"}}})", "provider.options.a"},
           {R"({"options":{"a":{"dimensions":2}}})", "provider.options.a"},
           {R"({"options":{"a":{"normalize":false}}})", "provider.options.a"},
           {R"({"options":{"a":{"options":{"num_ctx":1}}}})", "provider.options.a"},
           {R"({"zdr":true,"zdr":false})", "provider.zdr"},
           {long_list + "]}", "provider.order"}}) {
    const auto decoded = decode(provider);
    ASSERT_FALSE(decoded) << provider;
    EXPECT_EQ(decoded.error().code(), ErrorCode::invalid_request);
    EXPECT_EQ(decoded.error().param(), param) << provider.substr(0, 80) << ": " << decoded.error().message();
    EXPECT_TRUE(decoded.error().message().starts_with("provider")) << decoded.error().message();
  }
}

}  // namespace
}  // namespace embedrouter::api
