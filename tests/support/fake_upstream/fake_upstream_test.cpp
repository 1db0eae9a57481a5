#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fake_upstream/faults.h"
#include "fake_upstream/plan.h"
#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

TEST(vectors, a_text_has_one_unit_vector_and_another_text_or_space_another) {
  const std::vector<float> a = vector_of("a text", "", 64);
  double sum = 0;
  for (const float x : a) sum += static_cast<double>(x) * x;
  EXPECT_NEAR(sum, 1.0, 1e-6);
  EXPECT_EQ(a, vector_of("a text", "", 64));
  EXPECT_NE(a, vector_of("a text ", "", 64));
  EXPECT_NE(a, vector_of("a text", "space2", 64));
}

TEST(vectors, a_narrower_vector_is_the_wide_one_cut_and_renormalised) {
  std::vector<double> wide = direction_of("x", "", 64);
  wide.resize(16);
  EXPECT_EQ(normalised(wide), vector_of("x", "", 16));
}

TEST(vectors, base64_is_padded_and_numbers_read_back) {
  EXPECT_EQ(base64_of("a"), "YQ==");
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(number_array({0.1F, -0.0F, 1e-40F}), "[0.1,-0.0,1e-40]");
}

TEST(requests, every_text_form_is_read) {
  std::string why;
  EXPECT_THAT(read_request(R"({"model":"ok","input":"a"})", why)->texts, testing::ElementsAre("a"));
  EXPECT_THAT(read_request(R"({"model":"ok","input":["a","b"]})", why)->texts,
              testing::ElementsAre("a", "b"));
  EXPECT_THAT(read_request(R"({"model":"ok","input":[1,2]})", why)->texts, testing::ElementsAre("1,2"));
  EXPECT_THAT(read_request(R"({"model":"ok","input":[[1,2],[3]]})", why)->texts,
              testing::ElementsAre("1,2", "3"));
}

TEST(requests, what_is_no_request_is_refused_with_a_reason) {
  for (const char* body :
       {"", "[]", "{}", R"({"model":1,"input":"a"})", R"({"model":"ok"})", R"({"model":"ok","input":[]})",
        R"({"model":"ok","input":[null]})", R"({"model":"ok","input":"a","dimensions":0})"}) {
    std::string why;
    EXPECT_FALSE(read_request(body, why)) << body;
    EXPECT_FALSE(why.empty()) << body;
  }
}

TEST(faults, names_are_unique_and_each_finds_its_own_row) {
  std::set<std::string_view> names;
  for (const Fault& fault : faults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    std::string name(fault.name);
    for (std::size_t hole = 0; (hole = name.find("<N>")) != std::string::npos;) name.replace(hole, 3, "7");
    const auto choice = choose(name, 64);
    ASSERT_TRUE(choice) << name;
    EXPECT_EQ(choice->fault->name, fault.name);
  }
}

TEST(faults, a_name_carries_author_width_space_and_numbers) {
  const auto choice = choose("openai/status-429-retry-2-d768@space2", 64);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->fault->name, "status-<N>-retry-<N>");
  EXPECT_THAT(choice->numbers, testing::ElementsAre(429, 2));
  EXPECT_EQ(choice->width, 768U);
  EXPECT_EQ(choice->space, "space2");
  EXPECT_EQ(choice->after, 0U);
  EXPECT_EQ(choose("after-80-nan", 64)->after, 80U);
  EXPECT_EQ(choose("after-80-nan", 64)->fault->name, "nan");
  EXPECT_FALSE(choose("after-nan", 64));
  EXPECT_FALSE(choose("okay", 64));
  EXPECT_FALSE(choose("ok-d1", 64));
  EXPECT_FALSE(choose("delay-ms", 64));
}

// Everything a peer would see of the answer to four texts, the model's own name aside.
std::string answer_of(std::string_view fault, bool base64) {
  const auto choice = choose(fault, 64);
  EXPECT_TRUE(choice) << fault;
  Request request;
  request.model = "asked";
  request.texts = {"first", "second", "third", "fourth"};
  request.base64 = base64;
  request.dimensions = 32;
  Plan plan = right_plan(request, choice->space, choice->width);
  choice->fault->bend(plan, {.request = request,
                             .numbers = choice->numbers,
                             .space = choice->space,
                             .width = choice->width,
                             .nth_of_model = 19,
                             .repeated = false,
                             .reused_connection = true});
  return fmt::format("{} {} {} {}", plan.status, static_cast<int>(plan.delivery), plan.delay.count(),
                     render(plan));
}

// A row that answers as `ok` does would make every test over it pass.
TEST(faults, every_row_but_ok_changes_the_answer) {
  for (const Fault& fault : faults()) {
    std::string name(fault.name);
    for (std::size_t hole = 0; (hole = name.find("<N>")) != std::string::npos;) name.replace(hole, 3, "1");
    if (name == "ok") continue;
    EXPECT_TRUE(answer_of(name, false) != answer_of("ok", false) ||
                answer_of(name, true) != answer_of("ok", true))
        << name;
  }
}

TEST(faults, usage_and_model_rows_change_what_follows_the_data) {
  EXPECT_THAT(answer_of("usage-missing", false), testing::Not(testing::HasSubstr("usage\":{")));
  EXPECT_THAT(answer_of("usage-zero", false), testing::HasSubstr(R"("prompt_tokens":0)"));
  EXPECT_THAT(answer_of("usage-negative", false), testing::HasSubstr(R"("prompt_tokens":-5)"));
  EXPECT_THAT(answer_of("usage-huge", false), testing::HasSubstr(R"("prompt_tokens":9007199254740993)"));
  EXPECT_THAT(answer_of("usage-string", false), testing::HasSubstr(R"("prompt_tokens":"8")"));
  EXPECT_THAT(answer_of("other-model", false), testing::HasSubstr(R"("model":"another-model")"));
}

}  // namespace
}  // namespace embedrouter::fake_upstream
