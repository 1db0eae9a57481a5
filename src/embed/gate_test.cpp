#include "embed/gate.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/requests.h"

namespace embedrouter::embed {
namespace {

using api::EmbedReply;
using testing::as_base64;
using testing::as_floats;
using testing::as_text;
using testing::json_of;
using testing::TextRequest;
using testing::vector_of;

constexpr std::uint32_t kWidth = 8;
constexpr VectorContract kContract{kWidth};

EmbedReply good_reply(const api::EmbedRequest& request) {
  EmbedReply reply;
  for (const api::Item& item : request.items) {
    reply.data.push_back(
        as_text(reply, json_of(vector_of(item.text, kWidth)), static_cast<std::int64_t>(reply.data.size())));
  }
  reply.usage.prompt_tokens = request.items.size() * 2;
  return reply;
}

std::string text_at(const EmbedReply& reply, std::size_t i) {
  return std::string(std::get<api::NumberText>(reply.data[i].vector).json);
}

ErrorCode fault(const TextRequest& texts, EmbedReply reply) {
  Gate gate(kContract);
  auto passed = gate.inspect(texts.request, reply);
  return passed ? ErrorCode::internal : passed.error().code();
}

// A reply for one text whose vector is this JSON.
ErrorCode fault_of_json(std::string json) {
  const TextRequest texts({"alpha"});
  EmbedReply reply;
  reply.data.push_back(as_text(reply, std::move(json), 0));
  return fault(texts, std::move(reply));
}

TEST(Gate, passes_a_good_answer_and_sets_its_width) {
  const TextRequest texts({"alpha", "beta", "gamma"});
  EmbedReply reply = good_reply(texts.request);
  Gate gate(kContract);
  const auto passed = gate.inspect(texts.request, reply);
  ASSERT_TRUE(passed) << passed.error().message();
  EXPECT_FALSE(passed->has_value());
  EXPECT_EQ(reply.width, kWidth);
  EXPECT_FALSE(gate.suspect());
}

TEST(Gate, orders_any_permutation_by_index) {
  const TextRequest texts({"alpha", "beta", "gamma", "delta"});
  std::vector<std::size_t> permutation{0, 1, 2, 3};
  do {
    const EmbedReply good = good_reply(texts.request);
    EmbedReply reply = good;
    for (std::size_t i = 0; i < permutation.size(); ++i) reply.data[i] = good.data[permutation[i]];
    Gate gate(kContract);
    ASSERT_TRUE(gate.inspect(texts.request, reply));
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(reply.data[i].index, static_cast<std::int64_t>(i));
      EXPECT_EQ(text_at(reply, i), json_of(vector_of(texts.request.items[i].text, kWidth)));
    }
  } while (std::ranges::next_permutation(permutation).found);
}

TEST(Gate, numbers_an_answer_without_indices) {
  const TextRequest texts({"alpha", "beta"});
  EmbedReply reply = good_reply(texts.request);
  for (auto& e : reply.data) e.index.reset();
  Gate gate(kContract);
  ASSERT_TRUE(gate.inspect(texts.request, reply));
  EXPECT_EQ(reply.data[1].index, 1);
}

TEST(Gate, refuses_indices_that_are_no_permutation) {
  const TextRequest texts({"alpha", "beta", "gamma"});
  for (const auto& [a, b, c] :
       std::vector<std::array<std::int64_t, 3>>{{0, 1, 1}, {0, 0, 0}, {-1, 0, 1}, {0, 1, 3}, {1, 2, 3}}) {
    EmbedReply reply = good_reply(texts.request);
    reply.data[0].index = a;
    reply.data[1].index = b;
    reply.data[2].index = c;
    EXPECT_EQ(fault(texts, std::move(reply)), ErrorCode::upstream_invalid_answer);
  }
  EmbedReply partly = good_reply(texts.request);
  partly.data[1].index.reset();
  EXPECT_EQ(fault(texts, std::move(partly)), ErrorCode::upstream_invalid_answer);
}

TEST(Gate, refuses_another_number_of_vectors) {
  const TextRequest texts({"alpha", "beta", "gamma"});
  EmbedReply fewer = good_reply(texts.request);
  fewer.data.pop_back();
  EXPECT_EQ(fault(texts, std::move(fewer)), ErrorCode::upstream_count_mismatch);
  EmbedReply more = good_reply(texts.request);
  more.data.push_back(more.data.front());
  EXPECT_EQ(fault(texts, std::move(more)), ErrorCode::upstream_count_mismatch);
  EXPECT_EQ(fault(texts, EmbedReply{}), ErrorCode::upstream_count_mismatch);
}

TEST(Gate, refuses_values_that_are_no_vector) {
  const std::string good = json_of(vector_of("alpha", kWidth));
  EXPECT_EQ(fault_of_json(good), ErrorCode::internal) << "the control";
  for (const char* json :
       {"[]", "[0,0,0,0,0,0,0,0]", "[0e5,-0.0,0,0,0,0,0,0]", "[NaN,0,0,0,0,0,0,1]", "[1e400,0,0,0,0,0,0,0]",
        "[null,0,0,0,0,0,0,1]", "[1,0,0,0,0,0,0]", "[1,0,0,0,0,0,0,0,0]", "[[1,0,0,0,0,0,0,0]]",
        "[3,0,0,0,0,0,0,0]", "[1,,0,0,0,0,0,0]", "[Infinity,0,0,0,0,0,0,0]", "[0.5,0,0,0,0,0,0,0]"}) {
    const ErrorCode code = fault_of_json(json);
    EXPECT_TRUE(code == ErrorCode::upstream_invalid_vector || code == ErrorCode::upstream_invalid_answer)
        << json;
  }
}

TEST(Gate, names_the_item_to_blame) {
  const TextRequest texts({"alpha", "beta"});
  EmbedReply reply = good_reply(texts.request);
  reply.data[1] = as_text(reply, "[0,0,0,0,0,0,0,0]", 1);
  Gate gate(kContract);
  const auto passed = gate.inspect(texts.request, reply);
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().item(), 1U);
  EXPECT_NE(passed.error().message().find("input[1]"), std::string::npos);
}

TEST(Gate, accepts_a_leading_zero_and_negative_zero) {
  EXPECT_EQ(fault_of_json("[0,-0.0,0,0,0,0,0,1]"), ErrorCode::internal);
}

TEST(Gate, checks_floats_and_base64_by_value) {
  const TextRequest texts({"alpha"});
  std::vector<float> values = vector_of("alpha", kWidth);
  EmbedReply encoded;
  encoded.data.push_back(as_base64(encoded, values, 0));
  EXPECT_EQ(fault(texts, std::move(encoded)), ErrorCode::internal);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    values[3] = bad;
    EmbedReply base64;
    base64.data.push_back(as_base64(base64, values, 0));
    EXPECT_EQ(fault(texts, std::move(base64)), ErrorCode::upstream_invalid_vector);
    EmbedReply floats;
    floats.data.push_back(as_floats(floats, values, 0));
    EXPECT_EQ(fault(texts, std::move(floats)), ErrorCode::upstream_invalid_vector);
  }
}

TEST(Gate, expects_the_width_that_was_asked_for) {
  TextRequest texts({"alpha"});
  texts.request.dimensions = 4;
  EmbedReply full = good_reply(texts.request);
  EXPECT_EQ(fault(texts, std::move(full)), ErrorCode::upstream_invalid_vector);
  EmbedReply cut;
  cut.data.push_back(as_text(cut, json_of(vector_of("alpha", 4)), 0));
  EXPECT_EQ(fault(texts, std::move(cut)), ErrorCode::internal);
}

TEST(Gate, leaves_the_length_alone_where_the_endpoint_is_not_normalized) {
  const TextRequest texts({"alpha"});
  EmbedReply reply;
  reply.data.push_back(as_text(reply, "[3,0,0,0,0,0,0,4]", 0));
  VectorContract contract = kContract;
  contract.normalized = false;
  Gate gate(contract);
  EXPECT_TRUE(gate.inspect(texts.request, reply));
}

TEST(Gate, four_different_texts_with_one_vector_are_a_fault) {
  const TextRequest texts({"one", "two", "three", "four"});
  EmbedReply reply;
  for (std::int64_t i = 0; i < 4; ++i)
    reply.data.push_back(as_text(reply, json_of(vector_of("same", kWidth)), i));
  EXPECT_EQ(fault(texts, std::move(reply)), ErrorCode::upstream_invalid_vector);
}

TEST(Gate, one_vector_for_the_same_text_is_right) {
  const TextRequest texts({"same", "same", "same", "same", "Same!", " SAME"});
  EmbedReply reply;
  for (std::int64_t i = 0; i < 6; ++i)
    reply.data.push_back(as_text(reply, json_of(vector_of("same", kWidth)), i));
  Gate gate(kContract);
  const auto passed = gate.inspect(texts.request, reply);
  ASSERT_TRUE(passed) << passed.error().message();
  EXPECT_FALSE(passed->has_value());
}

TEST(Gate, two_different_texts_with_one_vector_are_suspect) {
  const TextRequest texts({"other", "I love 🍕", "I love 🚗"});
  EmbedReply reply = good_reply(texts.request);
  reply.data[2] = reply.data[1];
  reply.data[2].index = 2;
  Gate gate(kContract);
  const auto passed = gate.inspect(texts.request, reply);
  ASSERT_TRUE(passed);
  ASSERT_TRUE(passed->has_value());
  EXPECT_EQ(**passed, Gate::Twins(1, 2));
}

TEST(Gate, one_vector_for_every_text_shows_over_small_requests_too) {
  Gate gate(kContract);
  for (int i = 0; i < 4; ++i) {
    const TextRequest texts({"text number " + std::to_string(i)});
    EmbedReply reply;
    reply.data.push_back(as_text(reply, json_of(vector_of("same", kWidth)), 0));
    const auto passed = gate.inspect(texts.request, reply);
    EXPECT_EQ(passed.has_value(), i < 3) << i;
  }
  EXPECT_TRUE(gate.suspect());
}

TEST(Gate, reads_the_values_of_text_at_first_and_then_of_a_sample) {
  Gate gate(kContract);
  int refused = 0;
  for (std::uint64_t i = 0; i < Gate::kFirstAnswers + 2 * Gate::kSampleEvery; ++i) {
    const TextRequest texts({"text " + std::to_string(i)});
    const bool late_and_odd = i > Gate::kFirstAnswers;
    EmbedReply reply;
    // Not normalized: only reading the values shows it.
    reply.data.push_back(as_text(
        reply, late_and_odd ? "[3,0,0,0,0,0,0,4]" : json_of(vector_of(texts.request.items[0].text, kWidth)),
        0));
    if (!gate.inspect(texts.request, reply)) ++refused;
  }
  // The first sample finds it; from then on the endpoint is suspect and every answer is read.
  EXPECT_EQ(refused, static_cast<int>(Gate::kSampleEvery));
}

TEST(Gate, reads_the_values_of_every_canary) {
  Gate gate(kContract);
  const TextRequest texts({"alpha"});
  for (std::uint64_t i = 0; i < Gate::kFirstAnswers + Gate::kSampleEvery / 2; ++i) {
    EmbedReply reply = good_reply(texts.request);
    ASSERT_TRUE(gate.inspect(texts.request, reply));
  }
  for (const bool canary : {false, true}) {
    EmbedReply reply;
    reply.data.push_back(as_text(reply, "[0,0,0,0,0,0,0,3]", 0));  // of another length
    EXPECT_EQ(gate.inspect(texts.request, reply, canary).has_value(), !canary) << "not one of the sample";
  }
}

// Half a vector, and one vector for all, look like it in their text: no sample is waited for.
TEST(Gate, reads_the_values_of_text_that_looks_odd) {
  Gate gate(kContract);
  const TextRequest texts({"alpha", "beta", "gamma", "delta"});
  for (std::uint64_t i = 0; i < Gate::kFirstAnswers + Gate::kSampleEvery / 2; ++i) {
    EmbedReply reply = good_reply(texts.request);
    ASSERT_TRUE(gate.inspect(texts.request, reply));
  }
  const std::string first = json_of(vector_of("alpha", kWidth));
  for (const std::string_view fault : {"half", "same", "half"}) {
    EmbedReply reply;
    for (std::uint32_t i = 0; i < texts.request.items.size(); ++i) {
      const std::string own = json_of(vector_of(texts.request.items[i].text, kWidth));
      reply.data.push_back(as_text(reply,
                                   fault == "same" ? first
                                   : i == 2        ? "[3,4,0,0,0,0,0.0,-0.0e3 ]"
                                                   : own,
                                   i));
    }
    EXPECT_FALSE(gate.inspect(texts.request, reply)) << fault;
    for (int good = 0; good < 2; ++good) {  // no longer suspect
      EmbedReply right = good_reply(texts.request);
      EXPECT_TRUE(gate.inspect(texts.request, right));
    }
    EXPECT_FALSE(gate.suspect());
  }
}

TEST(Gate, makes_implausible_usage_an_estimate) {
  const TextRequest texts({"alpha beta gamma delta"});
  for (const std::uint64_t claimed : {std::uint64_t{0}, std::uint64_t{1'000'000}}) {
    EmbedReply reply = good_reply(texts.request);
    reply.usage.prompt_tokens = claimed;
    Gate gate(kContract);
    ASSERT_TRUE(gate.inspect(texts.request, reply));
    EXPECT_EQ(reply.usage.prompt_tokens, 6U);
    EXPECT_EQ(reply.usage.source, api::UsageSource::estimated);
  }
  EmbedReply reply = good_reply(texts.request);
  Gate gate(kContract);
  ASSERT_TRUE(gate.inspect(texts.request, reply));
  EXPECT_EQ(reply.usage.source, api::UsageSource::provider);
}

TEST(Gate, alike_ignores_ascii_case_blanks_and_punctuation_only) {
  EXPECT_TRUE(alike("Hello, world", "hello WORLD!"));
  EXPECT_TRUE(alike("", " ?"));
  EXPECT_FALSE(alike("hello", "hell0"));
  EXPECT_FALSE(alike("a", "ab"));
  EXPECT_FALSE(alike("é", "è"));
}

}  // namespace
}  // namespace embedrouter::embed
