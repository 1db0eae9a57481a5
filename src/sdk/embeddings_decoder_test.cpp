// What becomes of the answers to /embeddings.
#include <embedrouter/client.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sdk/test_bench.h"

namespace embedrouter::sdk {
namespace {

using testing::decoded;
using testing::kTwo;

TEST(EmbeddingsResponse, is_one_matrix) {
  const auto reply = decoded(kTwo);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage->prompt_tokens, 3);
  EXPECT_EQ(reply->usage->cost, 0.5);
  EXPECT_EQ(*reply->data()[0].values(), (std::vector<float>{1.0F, 2.0F}));
  const auto matrix = reply->matrix();
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->rows(), 2U);
  EXPECT_EQ(std::vector<float>(matrix->data(), matrix->data() + 4),
            (std::vector<float>{1.0F, 2.0F, -0.5F, 0.25F}));
}

TEST(EmbeddingsResponse, rows_are_by_index) {
  const auto reply =
      decoded(R"({"object":"list","model":"m","data":[{"object":"embedding","index":1,"embedding":[1]},
                                 {"object":"embedding","index":0,"embedding":"AAAAQA=="}]})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->matrix()->row(0)[0], 2.0F);
  EXPECT_EQ(reply->matrix()->row(1)[0], 1.0F);
}

TEST(EmbeddingsResponse, reads_escaped_base64) {
  const auto reply = decoded(
      R"({"object":"list","model":"m","data":[{"object":"embedding","embedding":"\u0041ACAPwAAAEA\u003d"},
                                 {"object":"embedding","embedding":"AACAPwAAAEA="}]})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->matrix()->row(0)[1], 2.0F);
}

TEST(EmbeddingsResponse, makes_no_matrix_of_what_is_none) {
  const auto of = [](const std::string& data) {
    const auto reply = decoded(R"({"object":"list","model":"m","data":[)" + data + "]}");
    return reply ? reply->matrix().error() : reply.error();
  };
  const std::string good = R"({"object":"embedding","index":0,"embedding":[1,2]})";
  for (const std::string& data : {
           good,                                                                      // one for two
           good + "," + good,                                                         // an index twice
           good + R"(,{"object":"embedding","embedding":[1,2]})",                     // an index, no index
           good + R"(,{"object":"embedding","index":2,"embedding":[1,2]})",           // out of range
           good + R"(,{"object":"embedding","index":-1,"embedding":[1,2]})",          // negative
           good + R"(,{"object":"embedding","index":1,"embedding":[1]})",             // narrower
           good + R"(,{"object":"embedding","index":1,"embedding":"AADAfwAAgD8="})",  // NaN
           good + R"(,{"object":"embedding","index":1,"embedding":"AACAPwAA*EA="})",  // not base64
           good + R"(,{"object":"embedding","index":1,"embedding":[1,1e39]})",        // no float32
           good + R"(,{"object":"embedding","index":1,"embedding":[1,null]})",        // no number
       }) {
    EXPECT_EQ(of(data).kind(), ErrorKind::response_validation) << data;
    EXPECT_NE(of(data).answer(), nullptr);
  }
}

// What is set aside for vectors is bounded by what came, not by what it says.
TEST(EmbeddingsResponse, sets_no_memory_aside_for_what_did_not_come) {
  std::string data = R"({"object":"embedding","embedding":[1)";
  for (int i = 1; i < 100'000; ++i) data += ",1";
  data += "]}";
  for (int i = 0; i < 100'000; ++i) data += R"(,{"object":"embedding","embedding":[1]})";
  const auto reply = decoded(R"({"object":"list","model":"m","data":[)" + data + "]}");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->matrix().error().kind(), ErrorKind::response_validation);
}

TEST(EmbeddingsResponse, of_a_vector_given_twice_the_last_counts) {
  const auto reply = decoded(R"({"object":"list","model":"m","data":[
      {"object":"embedding","index":0,"embedding":[1,2],"embedding":[3,4]},
      {"object":"embedding","index":1,"embedding":[5,6]}]})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply->data()[0].values(), (std::vector<float>{3, 4}));
  EXPECT_EQ(reply->matrix()->row(0)[0], 3.0F);
  EXPECT_EQ(reply->matrix()->row(1)[1], 6.0F);
}

TEST(Matrix, top_k_orders_by_likeness) {
  const Matrix matrix(std::shared_ptr<const float[]>(new float[]{1, 0, 0, 1, 2, 0.1F, std::nanf(""), 0}), 4,
                      2);
  const float query[] = {1, 0};
  const auto matches = top_k(matrix, query, 3);
  ASSERT_EQ(matches.size(), 3U);
  EXPECT_EQ(matches[0].row, 0U);
  EXPECT_EQ(matches[1].row, 2U);
  EXPECT_EQ(matches[2].row, 1U);
  EXPECT_NEAR(matches[1].cosine, 2 / std::sqrt(4.01), 1e-9);
  EXPECT_TRUE(top_k(matrix, std::span(query, 1), 3).empty());
  const float zero[] = {0, 0};
  EXPECT_EQ(cosine(zero, query), 0.0);
}

}  // namespace
}  // namespace embedrouter::sdk
