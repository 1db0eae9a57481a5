// What cannot be sent is refused before it is, by name.
#include <embedrouter/client.h>
#include <embedrouter/testing/mock_connection.h>
#include <gtest/gtest.h>

#include <limits>

namespace embedrouter::sdk {
namespace {

const std::string kNoText = "a\xff";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Requests : public ::testing::Test {
 protected:
  // What a call is refused with; nothing was asked.
  template <class T>
  std::string refusal(Call<T> call) {
    const auto result = std::move(call).get();
    EXPECT_TRUE(mock_->calls().empty());
    if (result) return "a success";
    EXPECT_EQ(result.error().kind(), ErrorKind::usage);
    return result.error().message();
  }

  std::shared_ptr<testing::MockConnection> mock_ = std::make_shared<testing::MockConnection>();
  Client client_{mock_};
};

TEST_F(Requests, of_keys_are_refused_by_member) {
  const ApiKeys keys = client_.api_keys();
  EXPECT_EQ(refusal(keys.create({.name = kNoText})), "name is not UTF-8");
  EXPECT_EQ(refusal(keys.create({.name = "n", .limit = kNaN})), "limit is not a finite number");
  EXPECT_EQ(refusal(keys.create({.name = "n", .expires_at = kNoText})), "expires_at is not UTF-8");
  EXPECT_EQ(refusal(keys.create({.name = "n", .external = CreateApiKeyRequest::External{.user = kNoText}})),
            "user is not UTF-8");
  EXPECT_EQ(refusal(keys.update("h", {.name = kNoText})), "name is not UTF-8");
  EXPECT_EQ(refusal(keys.update("h", {.limit = -kInfinity})), "limit is not a finite number");
  EXPECT_EQ(refusal(keys.update(kNoText, {})), "hash is not UTF-8");
  EXPECT_EQ(refusal(keys.get(kNoText)), "hash is not UTF-8");
  EXPECT_EQ(refusal(keys.remove(kNoText)), "hash is not UTF-8");
  EXPECT_EQ(refusal(keys.list({.workspace_id = kNoText})), "workspace_id is not UTF-8");
}

TEST_F(Requests, of_provider_keys_are_refused_by_member) {
  const Byok byok = client_.byok();
  EXPECT_EQ(refusal(byok.create({.provider = kNoText, .key = "k"})), "provider is not UTF-8");
  EXPECT_EQ(refusal(byok.create({.provider = "p", .key = kNoText})), "key is not UTF-8");
  EXPECT_EQ(refusal(byok.update("i", {.allowed_models = std::vector<std::string>{"a/b", kNoText}})),
            "allowed_models[1] is not UTF-8");
  EXPECT_EQ(refusal(byok.get(kNoText)), "id is not UTF-8");
  EXPECT_EQ(refusal(byok.list({.provider = kNoText})), "provider is not UTF-8");
}

TEST_F(Requests, of_lists_are_refused_by_parameter) {
  EXPECT_EQ(refusal(client_.models().list({.q = kNoText})), "q is not UTF-8");
  EXPECT_EQ(refusal(client_.models().list({.min_price = kNaN})), "min_price is not a finite number");
  EXPECT_EQ(refusal(client_.models().list({.max_tool_success_rate = kInfinity})),
            "max_tool_success_rate is not a finite number");
  EXPECT_EQ(refusal(client_.models().list_for_user("b", {.sort = kNoText})), "sort is not UTF-8");
  EXPECT_EQ(refusal(client_.models().count(kNoText)), "output_modalities is not UTF-8");
  EXPECT_EQ(refusal(client_.models().get("a", kNoText)), "slug is not UTF-8");
  EXPECT_EQ(refusal(client_.endpoints().list(kNoText, "s")), "author is not UTF-8");
  EXPECT_EQ(refusal(client_.generations().get_generation(kNoText)), "id is not UTF-8");
  EXPECT_EQ(refusal(client_.analytics().get_user_activity({.date = kNoText})), "date is not UTF-8");
}

TEST_F(Requests, of_embeddings_are_refused_by_member) {
  const auto with = [this](ProviderPreferences provider, TraceConfig trace = {}) {
    return refusal(client_.embeddings().generate(
        {.input = "a", .model = "m", .provider = std::move(provider), .trace = std::move(trace)}));
  };
  EXPECT_EQ(refusal(client_.embeddings().generate({.input = "a", .model = kNoText})), "model is not UTF-8");
  EXPECT_EQ(
      refusal(client_.embeddings().generate({.input = std::vector<std::string>{"a", kNoText}, .model = "m"})),
      "input[1] is not UTF-8");
  EXPECT_EQ(with({.order = std::vector<std::string>{kNoText}}), "order[0] is not UTF-8");
  EXPECT_EQ(with({.max_price = ProviderPreferences::MaxPrice{.prompt = kNoText}}), "prompt is not UTF-8");
  EXPECT_EQ(with({.preferred_max_latency = kNaN}), "preferred_max_latency is not a finite number");
  EXPECT_EQ(with({.preferred_min_throughput = Percentiles{.p90 = kInfinity}}), "p90 is not a finite number");
  EXPECT_EQ(with({.options = {{kNoText, {"1"}}}}), "a name in provider.options is not UTF-8");
  EXPECT_EQ(with({.options = {{"openai", {"{"}}}}), "openai is not valid JSON");
  EXPECT_EQ(with({.options = {{"openai", {'"' + kNoText + '"'}}}}), "openai is not valid JSON");
  EXPECT_EQ(with({}, {.trace_id = kNoText}), "trace_id is not UTF-8");
  EXPECT_EQ(with({}, {.others = {{kNoText, {"1"}}}}), "a name in trace is not UTF-8");
  EXPECT_EQ(with({}, {.others = {{"mine", {"nan"}}}}), "mine is not valid JSON");
}

TEST_F(Requests, go_out_as_they_are_otherwise) {
  static_cast<void>(client_.api_keys().create({.name = "ä", .limit = 0.1, .limit_reset = nullptr}).get());
  static_cast<void>(client_.models().list({.page = {}, .q = "a b&ä", .min_price = 1e-7}).get());
  static_cast<void>(client_.endpoints().list("a/b", "c:free").get());
  const auto calls = mock_->calls();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(*calls[0].body, R"({"name":"ä","limit":0.1,"limit_reset":null})");
  EXPECT_EQ(calls[1].query, "offset=0&limit=500&q=a%20b%26%C3%A4&min_price=1e-07");
  EXPECT_EQ(calls[1].body, nullptr);
  EXPECT_EQ(calls[2].path, "/models/a%2Fb/c:free/endpoints");
}

}  // namespace
}  // namespace embedrouter::sdk
