#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fake_upstream/behaviour.h"
#include "fake_upstream/dialect.h"
#include "fake_upstream/faults.h"
#include "fake_upstream/plan.h"
#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

TEST(vectors, a_text_has_one_unit_vector_and_another_text_or_space_another) {
  const std::vector<float> a = vector_of("a text", {}, 64);
  double sum = 0;
  for (const float x : a) sum += static_cast<double>(x) * x;
  EXPECT_NEAR(sum, 1.0, 1e-6);
  EXPECT_EQ(a, vector_of("a text", {}, 64));
  EXPECT_NE(a, vector_of("a text ", {}, 64));
  EXPECT_NE(a, vector_of("a text", {"space2"}, 64));
}

TEST(vectors, a_narrower_vector_is_the_wide_one_cut_and_renormalised) {
  std::vector<double> wide = direction_of("x", {}, 64);
  wide.resize(16);
  EXPECT_EQ(normalised(wide), vector_of("x", {}, 16));
}

TEST(vectors, base64_is_padded_and_numbers_read_back) {
  EXPECT_EQ(base64_of("a"), "YQ==");
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(number_array({0.1F, -0.0F, 1e-40F}), "[0.1,-0.0,1e-40]");
}

TEST(vectors, a_drift_turns_every_vector_by_the_angle_it_says) {
  for (const auto& [drift, expected] :
       {std::pair{100L, 0.99995}, std::pair{200L, 0.9998}, std::pair{1000L, 0.995}}) {
    for (const char* text : {"a", "b", "a longer text"}) {
      const std::vector<float> still = vector_of(text, {"s"}, 768);
      const std::vector<float> moved = vector_of(text, {"s", drift}, 768);
      double cosine = 0;
      for (std::size_t i = 0; i < still.size(); ++i) cosine += static_cast<double>(still[i]) * moved[i];
      EXPECT_NEAR(1 - cosine, 1 - expected, 0.2 * (1 - expected)) << drift;
    }
  }
}

const Dialect& openai() {
  return *find_dialect("openai");
}

TEST(dialects, have_distinct_names_and_their_paths_find_them) {
  std::set<std::string_view> names;
  for (const Dialect* dialect : dialects()) {
    EXPECT_TRUE(names.insert(dialect->name).second);
    EXPECT_EQ(dialect_of("/some/base" + std::string(dialect->path)), dialect);
  }
  EXPECT_EQ(dialect_of("/v1/chat/completions"), nullptr);
}

TEST(dialects, read_every_form_of_texts) {
  for (const Dialect* dialect : dialects()) {
    const std::string member = dialect->name == "tei" ? "inputs" : "input";
    const auto texts = [&](const std::string& json) {
      std::string why;
      const auto request = dialect->read(R"({"model":"ok",")" + member + "\":" + json + "}", why);
      EXPECT_TRUE(request) << dialect->name << why;
      return request ? request->texts : std::vector<std::string>{};
    };
    EXPECT_THAT(texts(R"("a")"), testing::ElementsAre("a"));
    EXPECT_THAT(texts(R"(["a","b"])"), testing::ElementsAre("a", "b"));
    EXPECT_THAT(texts("[1,2]"), testing::ElementsAre("1,2"));
    EXPECT_THAT(texts("[[1,2],[3]]"), testing::ElementsAre("1,2", "3"));
  }
}

TEST(dialects, refuse_what_is_no_request_with_a_reason) {
  for (const Dialect* dialect : dialects()) {
    for (const char* body :
         {"", "[]", "{}", R"({"model":1})", R"({"model":"ok"})", R"({"model":"ok","input":[],"inputs":[]})",
          R"({"model":"ok","input":[null],"inputs":[null]})",
          R"({"model":"ok","input":"a","inputs":"a","dimensions":0})"}) {
      std::string why;
      EXPECT_FALSE(dialect->read(body, why)) << dialect->name << body;
      EXPECT_FALSE(why.empty()) << dialect->name << body;
    }
  }
}

TEST(dialects, that_cut_by_default_do_so_unless_asked_not_to) {
  std::string why;
  EXPECT_FALSE(openai().read(R"({"model":"ok","input":"a"})", why)->may_cut);
  for (const char* name : {"tei", "ollama"}) {
    EXPECT_TRUE(find_dialect(name)->read(R"({"model":"ok","input":"a","inputs":"a"})", why)->may_cut);
    EXPECT_FALSE(find_dialect(name)
                     ->read(R"({"model":"ok","input":"a","inputs":"a","truncate":false})", why)
                     ->may_cut);
  }
}

std::string with_numbers(std::string_view name, std::string_view number) {
  std::string out(name);
  for (std::size_t hole = 0; (hole = out.find("<N>")) != std::string::npos;) out.replace(hole, 3, number);
  return out;
}

TEST(faults, names_are_unique_and_each_finds_its_own_row) {
  std::set<std::string_view> names;
  for (const Fault* fault : faults()) {
    EXPECT_TRUE(names.insert(fault->name).second) << fault->name;
    const std::string name = with_numbers(fault->name, "7");
    const auto choice = choose(name);
    ASSERT_TRUE(choice) << name;
    EXPECT_EQ(choice->fault->name, fault->name);
  }
}

TEST(faults, a_name_carries_author_width_space_drift_and_numbers) {
  const auto choice = choose("openai/status-429-retry-2-d768@space2~150");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->fault->name, "status-<N>-retry-<N>");
  EXPECT_THAT(choice->numbers, testing::ElementsAre(429, 2));
  EXPECT_EQ(choice->width, 768U);
  EXPECT_EQ(choice->space->name, "space2");
  EXPECT_EQ(choice->space->drift, 150);
  EXPECT_FALSE(choice->after);
  EXPECT_FALSE(choose("ok")->space);
  EXPECT_FALSE(choose("ok")->width);
  for (const char* wrong : {"after-nan", "okay", "ok-d1", "delay-ms", "ok~", "ok~x", "pct-nan"})
    EXPECT_FALSE(choose(wrong)) << wrong;
}

TEST(faults, modifiers_say_which_requests_a_fault_strikes) {
  const auto struck = [](std::string_view name, std::uint64_t seed) {
    std::vector<std::uint64_t> nths;
    for (std::uint64_t nth = 0; nth < 1000; ++nth) {
      if (choose(name)->strikes(name, nth, seed)) nths.push_back(nth);
    }
    return nths;
  };
  EXPECT_EQ(struck("nan", 0).size(), 1000U);
  EXPECT_EQ(struck("after-80-nan", 0).front(), 80U);
  EXPECT_EQ(struck("until-80-nan", 0).back(), 79U);
  EXPECT_THAT(struck("after-3-until-5-nan", 0), testing::ElementsAre(3, 4));
  EXPECT_EQ(choose("pct-10-nan")->fault->name, "nan");
  EXPECT_NEAR(static_cast<double>(struck("pct-10-nan", 0).size()), 100, 30);
  EXPECT_EQ(struck("pct-10-nan", 0), struck("pct-10-nan", 0));
  EXPECT_NE(struck("pct-10-nan", 0), struck("pct-10-nan", 1));
  EXPECT_TRUE(struck("pct-0-nan", 0).empty());
  EXPECT_EQ(struck("pct-100-nan", 0).size(), 1000U);
}

TEST(behaviour, changes_what_a_model_does_and_keeps_its_space_and_width) {
  Behaviour behaviour;
  EXPECT_EQ(behaviour.choose_for("ok-d32@a")->fault->name, "ok");
  EXPECT_EQ(behaviour.change(R"({"for":"ok-d32@a","be":"silent"})"), "");
  EXPECT_EQ(behaviour.change(R"({"for":"*","be":"ok~500"})"), "");
  const auto silent = behaviour.choose_for("ok-d32@a");
  EXPECT_EQ(silent->fault->name, "silent");
  EXPECT_EQ(silent->space->name, "a");
  EXPECT_EQ(silent->width, 32U);
  const auto drifted = behaviour.choose_for("reverse@b");
  EXPECT_EQ(drifted->fault->name, "ok");
  EXPECT_EQ(drifted->space->name, "b");
  EXPECT_EQ(drifted->space->drift, 500);
  EXPECT_EQ(behaviour.as_json(), R"({"behaviour":{"*":"ok~500","ok-d32@a":"silent"}})");
  EXPECT_EQ(behaviour.change(R"({"for":"ok-d32@a","be":null})"), "");
  EXPECT_EQ(behaviour.choose_for("ok-d32@a")->space->drift, 500);
  behaviour.forget();
  EXPECT_FALSE(behaviour.choose_for("ok")->space);
  for (const char* wrong :
       {"", "{}", R"({"for":"ok"})", R"({"for":"ok","be":"no-such-fault"})", R"({"be":"ok"})"})
    EXPECT_NE(behaviour.change(wrong), "") << wrong;
}

// Everything a peer would see of the answer to four texts, the model's own name aside.
std::string answer_of(std::string_view fault, const Dialect& dialect, bool base64) {
  const auto choice = choose(fault);
  EXPECT_TRUE(choice) << fault;
  Request request;
  request.model = "asked";
  request.texts = {"first", "second", "third", "a fourth with poison"};
  request.base64 = base64;
  request.dimensions = 32;
  request.codings = {"gzip", "br", "zstd"};
  Plan plan = right_plan(dialect, request, {}, 64);
  History history;
  history.requests = 19;
  history.open = history.last_second = history.tokens_last_second = 10;
  history.since_first = 2;
  history.reused_connection = true;
  choice->fault->bend(
      plan, {.request = request, .numbers = choice->numbers, .space = {}, .width = 64, .history = history});
  std::string head = fmt::format("{}{} {} {} {}", plan.before, plan.status, static_cast<int>(plan.delivery),
                                 plan.delay.count(), plan.tokens);
  for (const auto& [name, value] : plan.headers) head += name + value.substr(0, 20);
  return head + plan.raw.value_or("") + render(plan);
}

// A row that answers as `ok` does would make every test over it pass.
TEST(faults, every_row_but_ok_changes_the_answer_in_every_format_it_is_of) {
  for (const Dialect* dialect : dialects()) {
    for (const Fault* fault : faults()) {
      const std::string name = with_numbers(fault->name, "1");
      if (name == "ok" || name.starts_with("bomb-") || !fault->is_of(*dialect)) continue;
      EXPECT_TRUE(
          answer_of(name, *dialect, false) != answer_of("ok", *dialect, false) ||
          (dialect->features & kBase64 && answer_of(name, *dialect, true) != answer_of("ok", *dialect, true)))
          << name << " in " << dialect->name;
    }
  }
}

TEST(faults, bombs_are_small_and_stand_for_half_a_gigabyte) {
  const auto size_of = [](const char* name) {
    const std::string answer = answer_of(name, openai(), false);
    return answer.size();
  };
  EXPECT_LT(size_of("bomb-br"), 16U << 10);
  EXPECT_LT(size_of("bomb-zstd"), 64U << 10);
  EXPECT_LT(size_of("bomb-gzip"), 600U << 10);
}

TEST(faults, usage_and_model_rows_change_what_follows_the_data) {
  EXPECT_THAT(answer_of("usage-missing", openai(), false), testing::Not(testing::HasSubstr("usage\":{")));
  EXPECT_THAT(answer_of("usage-zero", openai(), false), testing::HasSubstr(R"("prompt_tokens":0)"));
  EXPECT_THAT(answer_of("usage-negative", openai(), false), testing::HasSubstr(R"("prompt_tokens":-5)"));
  EXPECT_THAT(answer_of("usage-huge", openai(), false),
              testing::HasSubstr(R"("prompt_tokens":9007199254740993)"));
  EXPECT_THAT(answer_of("usage-string", openai(), false), testing::HasSubstr(R"("prompt_tokens":"8")"));
  EXPECT_THAT(answer_of("usage-huge", *find_dialect("ollama"), false),
              testing::HasSubstr(R"("prompt_eval_count":9007199254740993)"));
  EXPECT_THAT(answer_of("other-model", openai(), false), testing::HasSubstr(R"("model":"another-model")"));
}

}  // namespace
}  // namespace embedrouter::fake_upstream
