#include <gtest/gtest.h>

#include "api/embed_reply.h"

namespace embedrouter::api {
namespace {

constexpr std::string_view kGood =
    R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]},)"
    R"({"embedding":"AAAAPw==","index":1,"extra":{"a":[1,{}]}}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":9}})";

std::string problem(std::string_view body) {
  const Buffer buffer(body);
  const auto reply = decode_embed_reply(buffer);
  if (reply) return "";
  EXPECT_EQ(reply.error().code(), ErrorCode::upstream_invalid_answer);
  return reply.error().message();
}

TEST(DecodeReply, keeps_vectors_as_views_of_the_body) {
  const Buffer buffer(kGood);
  const auto reply = decode_embed_reply(buffer);
  ASSERT_TRUE(reply) << reply.error().message();
  ASSERT_EQ(reply->data.size(), 2U);
  const std::string_view numbers = std::get<NumberText>(reply->data[0].vector).json;
  EXPECT_EQ(numbers, "[0.5,-1e-3]");
  EXPECT_TRUE(numbers.data() > buffer.data() && numbers.data() < buffer.data() + buffer.size());
  EXPECT_EQ(std::get<Base64Text>(reply->data[1].vector).text, "AAAAPw==");
  EXPECT_EQ(reply->data[1].index, 1);
  EXPECT_EQ(reply->prompt_tokens, 8U);
  EXPECT_EQ(reply->total_tokens, 9U);
  EXPECT_EQ(reply->model, "m");
}

TEST(DecodeReply, refuses_every_prefix_of_a_good_answer) {
  for (std::size_t cut = 0; cut < kGood.size(); ++cut) EXPECT_NE(problem(kGood.substr(0, cut)), "") << cut;
  EXPECT_EQ(problem(kGood), "");
  EXPECT_EQ(problem(std::string(kGood) + " \n"), "");
}

TEST(DecodeReply, refuses_what_is_not_an_answer) {
  for (const char* body : {"",
                           "null",
                           "[]",
                           "\"text\"",
                           "<html>",
                           "{}",
                           R"({"data":null})",
                           R"({"data":{}})",
                           R"({"data":"x"})",
                           R"({"data":[1]})",
                           R"({"data":[null]})",
                           R"({"data":[{}]})",
                           R"({"data":[{"embedding":null}]})",
                           R"({"data":[{"embedding":{"float":[1]}}]})",
                           R"({"data":[{"embedding":[1],"embedding":[2]}]})",
                           R"({"data":[],"data":[]})",
                           R"({"data":[]} x)",
                           R"({"data":[],"other":tru})",
                           R"({"data":[],})",
                           R"({"data":[{"embedding":[1]},]})",
                           R"({"data":[{"embedding":[1],"index":"0"}]})",
                           R"({"data":[{"embedding":[1],"index":true}]})",
                           R"({"data":[{"embedding":[1],"index":-1}]})",
                           R"({"data":[{"embedding":[1],"index":0.5}]})",
                           R"({"data":[{"embedding":[1],"index":1e0}]})",
                           R"({"data":[{"embedding":[1],"index":99999999999999999999}]})",
                           R"({"data":[],"x":"\ud800"})"}) {
    EXPECT_NE(problem(body), "") << body;
  }
}

TEST(DecodeReply, an_error_inside_a_200_is_a_failure_with_its_code) {
  for (const auto& [body, code] : std::vector<std::pair<const char*, const char*>>{
           {R"({"error":{"message":"m","code":429}})", "429"},
           {R"({"data":[],"error":{"code":"insufficient_quota"}})", "insufficient_quota"},
           {R"({"error":"boom"})", "error"},
           {R"({"error":{}})", "error"}}) {
    const Buffer buffer{std::string_view(body)};
    const auto reply = decode_embed_reply(buffer);
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().provider_code(), code) << body;
  }
  EXPECT_EQ(problem(R"({"data":[],"error":null})"), "");
}

TEST(DecodeReply, usage_that_makes_no_sense_is_no_usage) {
  for (const char* usage : {"null", "3", "{}", R"({"prompt_tokens":"8"})", R"({"prompt_tokens":-8})",
                            R"({"prompt_tokens":1.5})", R"({"prompt_tokens":null})",
                            R"({"prompt_tokens":1e3})", R"({"prompt_tokens":99999999999999999999})"}) {
    const Buffer buffer(std::string(R"({"data":[],"usage":)") + usage + "}");
    const auto reply = decode_embed_reply(buffer);
    ASSERT_TRUE(reply) << usage;
    EXPECT_FALSE(reply->prompt_tokens) << usage;
  }
  const Buffer whole(std::string_view(R"({"data":[],"usage":{"prompt_tokens":8.0}})"));
  EXPECT_EQ(decode_embed_reply(whole)->prompt_tokens, 8U);
}

TEST(DecodeReply, unescapes_base64_where_it_must) {
  const Buffer buffer(std::string_view(R"({"data":[{"embedding":"AA\/+AA=="}]})"));
  const auto reply = decode_embed_reply(buffer);
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<Base64Text>(reply->data[0].vector).text, "AA/+AA==");
  EXPECT_FALSE(reply->data[0].index);
}

}  // namespace
}  // namespace embedrouter::api
