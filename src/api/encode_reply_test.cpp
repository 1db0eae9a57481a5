#include <gtest/gtest.h>

#include "api/embed_reply.h"
#include "testing/requests.h"

namespace embedrouter::api {
namespace {

using testing::as_base64;
using testing::as_floats;
using testing::as_text;

EmbedReply reply_of_two() {
  EmbedReply reply;
  reply.model = "test/model";
  reply.provider = "Fake \"AI\"";
  reply.width = 2;
  reply.usage.prompt_tokens = reply.usage.total_tokens = 8;
  reply.usage.cost_pico_usd = 160'000;
  return reply;
}

std::string encoded(const EmbedReply& reply, EncodingFormat form) {
  return encode_embed_response(reply, form, ResponseInfo{"gen-emb-1"}).to_string();
}

TEST(EncodeReply, has_the_shape_of_the_contract) {
  EmbedReply reply = reply_of_two();
  reply.data.push_back(as_text(reply, "[0.50, -1e-3]", 0));
  reply.data.push_back(as_floats(reply, {0.5F, -0.25F}, 1));
  reply.truncated = {1};
  EXPECT_EQ(encoded(reply, EncodingFormat::float_numbers),
            R"({"id":"gen-emb-1","object":"list","model":"test/model","provider":"Fake \"AI\"",)"
            R"("usage":{"prompt_tokens":8,"total_tokens":8,"cost":0.00000016,"is_byok":false,)"
            R"("cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.00000016,)"
            R"("upstream_inference_completions_cost":0},"usage_source":"provider"},)"
            R"("data":[{"object":"embedding","index":0,"embedding":[0.50, -1e-3]},)"
            R"({"object":"embedding","index":1,"truncated":true,"embedding":[0.5,-0.25]}]})");
}

TEST(EncodeReply, lists_items_without_a_vector_apart_and_keeps_the_numbers_of_the_others) {
  EmbedReply reply = reply_of_two();
  reply.data.resize(3);
  for (const std::size_t i : {0U, 2U}) reply.data[i] = as_floats(reply, {0.5F, -0.25F}, std::nullopt);
  reply.failed.push_back({1, Error(ErrorCode::context_length_exceeded, "input[1] is too \"long\"")});
  const std::string text = encoded(reply, EncodingFormat::float_numbers);
  EXPECT_NE(
      text.find(R"("errors":[{"index":1,"code":400,"message":"input[1] is too \"long\"","metadata":)"
                R"({"error_type":"context_length_exceeded","code":"context_length_exceeded"}}],"data":[)"
                R"({"object":"embedding","index":0,"embedding":[0.5,-0.25]},)"
                R"({"object":"embedding","index":2,"embedding":[0.5,-0.25]}]})"),
      std::string::npos)
      << text;
  reply.failed = {{0, Error(ErrorCode::upstream_timeout, "late")}};
  reply.data.resize(2);
  reply.data[1] = as_floats(reply, {0.5F, -0.25F}, std::nullopt);
  EXPECT_NE(encoded(reply, EncodingFormat::float_numbers).find(R"("data":[{"object":"embedding","index":1,)"),
            std::string::npos);
}

TEST(EncodeReply, gives_every_form_in_the_form_asked_for) {
  const std::vector<float> values{0.1F, -3.5F};
  EmbedReply reply = reply_of_two();
  reply.data.push_back(as_floats(reply, values, 0));
  reply.data.push_back(as_base64(reply, values, 1));
  reply.data.push_back(as_text(reply, "[0.1,-3.5]", 2));
  const std::string numbers = encoded(reply, EncodingFormat::float_numbers);
  const std::string base64 = encoded(reply, EncodingFormat::base64);
  std::string text;
  append_base64(text, values);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = numbers.find(R"("embedding":[0.1,-3.5])", at)) != std::string::npos; ++at)
    ++found;
  EXPECT_EQ(found, 3U) << numbers;
  found = 0;
  for (std::size_t at = 0; (at = base64.find(R"("embedding":")" + text + '"', at)) != std::string::npos; ++at)
    ++found;
  EXPECT_EQ(found, 3U) << base64;
}

TEST(EncodeReply, refers_to_long_vectors_and_keeps_their_owner) {
  Body body;
  const char* where = nullptr;
  {
    EmbedReply reply = reply_of_two();
    std::string json = "[0.5";
    for (int i = 0; i < 3000; ++i) json += ",0.25";
    reply.data.push_back(as_text(reply, json + "]", 0));
    where = std::get<NumberText>(reply.data[0].vector).json.data();
    body = encode_embed_response(reply, EncodingFormat::float_numbers, ResponseInfo{"gen-emb-1"});
  }
  ASSERT_EQ(body.pieces().size(), 3U);
  EXPECT_EQ(body.pieces()[1].data(), where) << "not copied";
  EXPECT_TRUE(body.to_string().ends_with(",0.25]}]}"));
}

TEST(EncodeReply, costs_are_exact_decimals) {
  for (const auto& [pico, text] :
       std::vector<std::pair<std::int64_t, std::string>>{{0, "0"},
                                                         {1, "0.000000000001"},
                                                         {1'000'000'000'000, "1"},
                                                         {1'500'000'000'000, "1.5"},
                                                         {123'000'000'000'001, "123.000000000001"}}) {
    EmbedReply reply = reply_of_two();
    reply.usage.cost_pico_usd = pico;
    EXPECT_NE(encoded(reply, EncodingFormat::float_numbers).find("\"cost\":" + text + ","), std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace embedrouter::api
