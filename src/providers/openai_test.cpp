#include <gtest/gtest.h>

#include <set>

#include "providers/dialect.h"
#include "testing/requests.h"

namespace embedrouter::providers {
namespace {

using testing::TextRequest;

const Dialect& openai() {
  return *find_dialect("openai");
}

catalog::Endpoint plain_endpoint() {
  catalog::Endpoint endpoint;
  endpoint.upstream_model = "text-embedding-3-small";
  return endpoint;
}

std::string encoded(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  auto upstream = openai().encode(request, endpoint);
  EXPECT_TRUE(upstream);
  EXPECT_EQ(upstream->path, "/embeddings");
  return upstream->body.to_string();
}

UpstreamReply reply_of(int status, std::string body) {
  UpstreamReply reply;
  reply.status = status;
  reply.body = std::make_shared<const Buffer>(body);
  return reply;
}

TEST(Dialects, have_distinct_names) {
  std::set<std::string_view> names;
  for (const Dialect* dialect : dialects()) EXPECT_TRUE(names.insert(dialect->facts.name).second);
  EXPECT_EQ(find_dialect("no such"), nullptr);
}

TEST(OpenaiEncode, one_text_and_several) {
  const catalog::Endpoint endpoint = plain_endpoint();
  EXPECT_EQ(encoded(TextRequest({"a \"quoted\" text\n"}).request, endpoint),
            R"({"model":"text-embedding-3-small","input":"a \"quoted\" text\n","encoding_format":"float"})");
  EXPECT_EQ(encoded(TextRequest({"a", "b"}).request, endpoint),
            R"({"model":"text-embedding-3-small","input":["a","b"],"encoding_format":"float"})");
}

TEST(OpenaiEncode, token_ids_are_integers) {
  const std::vector<std::uint32_t> ids{9906, 0, 2147483647};
  const std::vector<api::Item> one{{{}, ids}};
  const std::vector<api::Item> two{{{}, ids}, {{}, std::span(ids).first(1)}};
  api::EmbedRequest request;
  request.items = one;
  EXPECT_NE(encoded(request, plain_endpoint()).find(R"("input":[9906,0,2147483647],)"), std::string::npos);
  request.items = two;
  EXPECT_NE(encoded(request, plain_endpoint()).find(R"("input":[[9906,0,2147483647],[9906]],)"),
            std::string::npos);
}

TEST(OpenaiEncode, asks_for_the_form_the_client_asked_for_where_the_endpoint_has_it) {
  TextRequest texts({"a"});
  texts.request.encoding = api::EncodingFormat::base64;
  catalog::Endpoint endpoint = plain_endpoint();
  EXPECT_NE(encoded(texts.request, endpoint).find(R"("encoding_format":"base64")"), std::string::npos);
  endpoint.encodings_base64 = false;
  EXPECT_NE(encoded(texts.request, endpoint).find(R"("encoding_format":"float")"), std::string::npos);
  endpoint.encodings_base64 = true;
  endpoint.encodings_float = false;
  texts.request.encoding = api::EncodingFormat::float_numbers;
  EXPECT_NE(encoded(texts.request, endpoint).find(R"("encoding_format":"base64")"), std::string::npos);
}

TEST(OpenaiEncode, forwards_parameters_only_where_they_are_honoured_and_the_user_only_hashed) {
  TextRequest texts({"a"});
  texts.request.dimensions = 256;
  texts.request.input_type = "search_query";
  texts.request.user = "someone";
  texts.request.session_id = "session";
  catalog::Endpoint endpoint = plain_endpoint();
  std::string body = encoded(texts.request, endpoint);
  EXPECT_EQ(body.find("dimensions"), std::string::npos);
  EXPECT_EQ(body.find("input_type"), std::string::npos);
  EXPECT_EQ(body.find("someone"), std::string::npos);
  EXPECT_EQ(body.find("session"), std::string::npos);
  EXPECT_NE(body.find(R"("user":"2a59d59e)"), std::string::npos) << body;
  endpoint.dimensions = true;
  endpoint.input_types = {"search_query"};
  body = encoded(texts.request, endpoint);
  EXPECT_NE(body.find(R"("dimensions":256)"), std::string::npos);
  EXPECT_NE(body.find(R"("input_type":"search_query")"), std::string::npos);
}

TEST(OpenaiDecode, keeps_vectors_as_views_of_the_answer) {
  const UpstreamReply reply =
      reply_of(200, R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25]}],
    "model":"m","usage":{"prompt_tokens":3,"total_tokens":3}})");
  const TextRequest texts({"a"});
  const auto decoded = openai().decode(reply, texts.request);
  ASSERT_TRUE(decoded) << decoded.error().message();
  ASSERT_EQ(decoded->data.size(), 1U);
  EXPECT_EQ(std::get<api::NumberText>(decoded->data[0].vector).json, "[0.5,-0.25]");
  EXPECT_EQ(decoded->usage.prompt_tokens, 3U);
}

TEST(OpenaiDecode, an_error_in_a_200_means_what_its_code_would_have) {
  const TextRequest texts({"a"});
  for (const auto& [code, expected] :
       {std::pair{"429", ErrorCode::upstream_rate_limited}, std::pair{"402", ErrorCode::upstream_quota},
        std::pair{"500", ErrorCode::upstream_error},
        std::pair{"\"insufficient_quota\"", ErrorCode::upstream_quota},
        std::pair{"\"boom\"", ErrorCode::upstream_error}, std::pair{"200", ErrorCode::upstream_error}}) {
    const std::string body = std::string(R"({"error":{"message":"m","code":)") + code + "}}";
    const auto decoded = openai().decode(reply_of(200, body), texts.request);
    ASSERT_FALSE(decoded) << code;
    EXPECT_EQ(decoded.error().code(), expected) << code;
  }
}

TEST(Explain, maps_every_failure_to_what_the_caller_sees) {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
  };
  const std::vector<Row> rows{
      {400, R"({"error":{"message":"'input' is wrong","code":null}})", ErrorCode::upstream_rejected},
      {400,
       R"({"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}})",
       ErrorCode::context_length_exceeded},
      {500, R"({"error":{"message":"input is too large to process. increase the physical batch size"}})",
       ErrorCode::context_length_exceeded},
      {401, R"({"error":{"message":"bad key"}})", ErrorCode::upstream_unauthorized},
      {403, R"({"error":{"message":"no"}})", ErrorCode::upstream_forbidden},
      {402, "", ErrorCode::upstream_quota},
      {403, R"({"error":{"message":"Key limit exceeded: insufficient credits"}})", ErrorCode::upstream_quota},
      {400, R"({"error":{"message":"filtered","code":"content_filter"}})",
       ErrorCode::content_policy_violation},
      {403, R"({"error":{"message":"x requires moderation. Your input was flagged for y."}})",
       ErrorCode::content_policy_violation},
      {429, R"({"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}})",
       ErrorCode::upstream_quota},
      {429, R"({"error":{"message":"slow down"}})", ErrorCode::upstream_rate_limited},
      {404, "", ErrorCode::model_unavailable},
      {408, "", ErrorCode::upstream_timeout},
      {500, "", ErrorCode::upstream_error},
      {502, "<html>bad gateway</html>", ErrorCode::upstream_error},
      {503, "", ErrorCode::upstream_error},
      {504, "", ErrorCode::upstream_timeout},
      {524, "", ErrorCode::upstream_edge_timeout},
      {529, "", ErrorCode::upstream_overloaded},
      {307, "", ErrorCode::upstream_invalid_answer},
      {204, "", ErrorCode::upstream_invalid_answer},
  };
  for (const Row& row : rows) {
    const Error error = explain_status(reply_of(row.status, row.body));
    EXPECT_EQ(error.code(), row.code) << row.status << ' ' << row.body;
  }
}

TEST(Explain, what_a_provider_says_of_itself_reaches_neither_caller_nor_log) {
  const Error error =
      explain_status(reply_of(500, R"({"error":{"message":"node 10.0.0.7 died","code":"boom"}})"));
  EXPECT_EQ(error.message().find("10.0.0.7"), std::string::npos);
  EXPECT_EQ(error.detail(), "the provider's code is boom");  // its words may quote the input
  EXPECT_EQ(error.provider_code(), "boom");
}

TEST(Explain, hands_on_how_long_a_provider_asks_to_wait) {
  UpstreamReply limited = reply_of(429, R"({"error":{"message":"retry after 55 seconds"}})");
  EXPECT_EQ(explain_status(limited).retry_after(), std::chrono::seconds(55));
  limited.headers.add("X-RateLimit-Reset-Tokens", "3s");
  EXPECT_EQ(explain_status(limited).retry_after(), std::chrono::seconds(3));
  limited.headers.add("Retry-After", "2");
  EXPECT_EQ(explain_status(limited).retry_after(), std::chrono::seconds(2));
  limited.headers.add("retry-after-ms", "250");
  EXPECT_EQ(explain_status(limited).retry_after(), std::chrono::milliseconds(250));
  UpstreamReply spent =
      reply_of(402, R"({"error":{"message":"You will regain access on 2026-12-01 at 00:00 UTC."}})");
  spent.arrived = Clock::Wall(std::chrono::seconds(1'796'083'200 - 7'200));  // two hours before
  EXPECT_EQ(explain_status(spent).retry_after(), std::chrono::hours(2));
  UpstreamReply broken = reply_of(500, "");
  broken.headers.add("X-RateLimit-Reset-Tokens", "3s");
  EXPECT_FALSE(explain_status(broken).retry_after()) << "of a limit, and this is none";
}

}  // namespace
}  // namespace embedrouter::providers
