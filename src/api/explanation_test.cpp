#include "api/explanation.h"

#include <gtest/gtest.h>

namespace embedrouter::api {
namespace {

Explanation two_endpoints() {
  Explanation explanation;
  explanation.model = "a/b";
  explanation.requested = "a/b:floor";
  explanation.strategy = "price";
  explanation.items = 7;
  ExplainedEndpoint& kept = explanation.endpoints.emplace_back();
  kept.id = "a/b@one";
  kept.provider = "One \"1\"";
  kept.provider_slug = "one";
  kept.space = "s";
  kept.price_prompt = "0.00000002";
  kept.place = 1;
  kept.share = 0.95;
  kept.state = "closed";
  kept.standing = "stable";
  kept.successes = 40;
  kept.failures = 2;
  kept.rate_limited = 1;
  kept.latency_ms = 12.5;
  kept.max_batch_items = 3;
  kept.calls = 3;
  ExplainedEndpoint& dropped = explanation.endpoints.emplace_back(kept);
  dropped.id = "a/b@two";
  dropped.place.reset();
  dropped.share.reset();
  dropped.latency_ms.reset();
  dropped.dropped_by = "health";
  dropped.why = "it failed";
  dropped.state = "open";
  dropped.standing = "ejected";
  dropped.seconds_left = 2.5;
  return explanation;
}

TEST(Explanation, is_written_in_full) {
  const std::string json = encode_explanation(two_endpoints());
  EXPECT_EQ(
      json,
      R"({"data":{"model":"a/b","requested":"a/b:floor","strategy":"price","fallbacks":true,"space":"s","items":7,"fault":null,)"
      R"("endpoints":[{"id":"a/b@one","provider_name":"One \"1\"","tag":"one","place":1,"share":0.9500,)"
      R"("dropped_by":null,"why":null,"space":"s","health":{"state":"closed","standing":"stable","seconds_left":null,)"
      R"("successes_last_5m":40,"failures_last_5m":2,"rate_limited_last_5m":1,"latency_ms_last_5m":12.5000},)"
      R"("price_prompt":"0.00000002","max_batch_items":3,"max_batch_tokens":null,"calls":3},)"
      R"({"id":"a/b@two","provider_name":"One \"1\"","tag":"one","place":null,"share":null,)"
      R"("dropped_by":"health","why":"it failed","space":"s","health":{"state":"open","standing":"ejected","seconds_left":2.5000,)"
      R"("successes_last_5m":40,"failures_last_5m":2,"rate_limited_last_5m":1,"latency_ms_last_5m":null},)"
      R"("price_prompt":"0.00000002","max_batch_items":3,"max_batch_tokens":null,"calls":3}]}})");
}

TEST(Explanation, what_is_written_can_be_read) {
  const auto read = decode_explanation(encode_explanation(two_endpoints()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->model + read->strategy + read->space + read->items + read->fault, "a/bprices7");
  ASSERT_EQ(read->rows.size(), 2U);
  const ExplanationRow& kept = read->rows[0];
  EXPECT_EQ(kept.id + " " + kept.place + " " + kept.share + " " + kept.state + kept.standing,
            "a/b@one 1 0.9500 closedstable");
  EXPECT_EQ(
      kept.failures + " " + kept.rate_limited + " " + kept.latency_ms + " " + kept.price + " " + kept.calls,
      "2 1 12.5000 0.00000002 3");
  const ExplanationRow& dropped = read->rows[1];
  EXPECT_EQ(dropped.place + dropped.share, "");
  EXPECT_EQ(dropped.dropped_by + ": " + dropped.why + ", " + dropped.seconds_left,
            "health: it failed, 2.5000");
}

TEST(Explanation, a_request_that_would_fail_says_with_what) {
  Explanation explanation = two_endpoints();
  explanation.endpoints.erase(explanation.endpoints.begin());
  explanation.fault = Error(ErrorCode::no_endpoint, "nothing is left").with_param("provider.only");
  const std::string json = encode_explanation(explanation);
  EXPECT_NE(json.find(R"("space":null,"items":7,"fault":{"status":404,"code":"no_endpoint",)"
                      R"("message":"nothing is left","param":"provider.only"})"),
            std::string::npos)
      << json;
  EXPECT_EQ(decode_explanation(json)->fault, "nothing is left");
}

TEST(Explanation, what_is_none_is_refused) {
  const std::string whole = encode_explanation(two_endpoints());
  for (std::size_t cut = 0; cut < whole.size(); cut += 7)
    EXPECT_FALSE(decode_explanation(std::string_view(whole).substr(0, cut))) << cut;
  for (const char* bad :
       {"{}", "[]", R"({"data":[]})", R"({"data":{"endpoints":{}}})", R"({"data":{"endpoints":[]}}x)"})
    EXPECT_FALSE(decode_explanation(bad)) << bad;
  EXPECT_TRUE(decode_explanation(R"({"data":{"endpoints":[1,{"health":3,"id":null}],"fault":null}})"));
}

}  // namespace
}  // namespace embedrouter::api
