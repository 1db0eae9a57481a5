#include "api/error_body.h"

#include <gtest/gtest.h>

namespace embedrouter::api {
namespace {

TEST(EncodeError, has_the_envelope_of_the_contract) {
  const Error error =
      Error(ErrorCode::context_length_exceeded, "input[3] has 900 tokens; at most 512 are taken")
          .with_item(3)
          .with_param("input[3]")
          .with_detail("for the log alone");
  EXPECT_EQ(
      encode_error(error, "gen-emb-1"),
      R"({"error":{"code":400,"message":"input[3] has 900 tokens; at most 512 are taken",)"
      R"("metadata":{"error_type":"context_length_exceeded","code":"context_length_exceeded","param":"input[3]","item":3,)"
      R"("request_id":"gen-emb-1"}},"user_id":null})");
}

TEST(EncodeError, names_the_provider_and_its_code_but_not_on_a_500) {
  const std::string upstream =
      encode_error(Error(ErrorCode::upstream_error, "m").with_provider("Acme", "boom"), "");
  EXPECT_NE(upstream.find(R"("provider_name":"Acme","provider_code":"boom")"), std::string::npos) << upstream;
  EXPECT_EQ(encode_error(Error(ErrorCode::internal, "m").with_provider("Acme", "boom"), "").find("boom"),
            std::string::npos);
}

TEST(EncodeError, carries_what_routing_tells) {
  const ErrorStory story{R"({"code":"c"})", R"([{"provider":"A"}])", R"({"attempt":0})"};
  const std::string body = encode_error(Error(ErrorCode::not_found, "m"), "", story);
  EXPECT_NE(body.find(R"("previous_errors":[{"provider":"A"}]},"availability":{"code":"c"}})"),
            std::string::npos)
      << body;
  EXPECT_TRUE(body.ends_with(R"("user_id":null,"openrouter_metadata":{"attempt":0}})")) << body;
}

TEST(EncodeError, withholds_everything_on_a_500) {
  const ErrorStory story{R"({"code":"c"})", R"([{"provider":"A"}])", R"({"attempt":0})"};
  const std::string body = encode_error(Error(ErrorCode::internal, "disk /x is full"), "gen-emb-1", story);
  EXPECT_EQ(
      body,
      R"({"error":{"code":500,"message":"Internal Server Error: the router could not do this; its log says why )"
      R"(under the request id","metadata":{"error_type":"server","code":"internal","request_id":"gen-emb-1"}},)"
      R"("user_id":null})");
}

TEST(ReadComplaint, reads_the_shapes_providers_use) {
  struct Row {
    const char* body;
    const char* message;
    const char* code;
    const char* type;
  };
  for (
      const Row& row : std::vector<Row>{
          {R"({"error":{"message":"no \"quota\"","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
           "no \"quota\"", "insufficient_quota", "insufficient_quota"},
          {R"({"error":{"code":429,"message":"slow","metadata":{"message":"inner"}}})", "slow", "429", ""},
          {R"({"error":{"code":400,"message":"long","metadata":{"error_type":"too_long","code":"c","param":"p"}}})",
           "long", "c", "too_long"},
          {R"({"error":"Input validation error","error_type":"Validation"})", "Input validation error", "",
           "Validation"},
          {R"({"message":"m","code":"c"})", "m", "c", ""},
          {R"({"detail":"Not Found"})", "Not Found", "", ""},
          {R"({"detail":[{"loc":["body"]}]})", "", "", ""},
          {"<html>", "", "", ""},
          {"", "", "", ""},
          {"[]", "", "", ""},
          {R"({"error":{"message":"cut)", "", "", ""},
          {R"({"message":"a"} trailing)", "", "", ""},
      }) {
    const UpstreamComplaint said = read_complaint(row.body);
    EXPECT_EQ(said.message, row.message) << row.body;
    EXPECT_EQ(said.code, row.code) << row.body;
    EXPECT_EQ(said.type, row.type) << row.body;
  }
}

TEST(ReadComplaint, is_one_short_line) {
  std::string longest = R"({"message":"a\nb)";
  for (int i = 0; i < 500; ++i) longest += "é";
  const UpstreamComplaint said = read_complaint(longest + "\"}");
  EXPECT_EQ(said.message.substr(0, 3), "a b");
  EXPECT_LE(said.message.size(), 303U);
  EXPECT_TRUE(said.message.ends_with("é..."));
}

TEST(ErrorBody, a_log_gets_names_of_a_complaint_and_never_its_words) {
  EXPECT_EQ(loggable({"your text was: a secret", "bad_input", "invalid"}),
            "the provider's code is bad_input");
  EXPECT_EQ(loggable({"your text was: a secret", "a secret text", "invalid"}),
            "the provider's type of error is invalid");
  EXPECT_EQ(loggable({"your text was: a secret", "", std::string(65, 'x')}), "");
}

}  // namespace
}  // namespace embedrouter::api
