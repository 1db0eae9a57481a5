#include "routing/model_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace embedrouter::routing {
namespace {

using api::Sort;
using catalog::Tier;

TEST(ModelName, suffixes_that_route_are_no_part_of_the_name) {
  struct Row {
    std::string_view asked, name;
    Sort sort;
    Tier tier;
  };
  for (const Row& row : std::vector<Row>{{"a/b", "a/b", Sort::none, Tier::standard},
                                         {"a/b:nitro", "a/b", Sort::throughput, Tier::priority},
                                         {"a/b:floor", "a/b", Sort::price, Tier::flex},
                                         {"a/b:exacto", "a/b", Sort::none, Tier::standard},
                                         {"a/b:free", "a/b:free", Sort::none, Tier::standard},
                                         {"a/b:free:nitro", "a/b:free", Sort::throughput, Tier::priority},
                                         {"a/b:floor:floor", "a/b:floor", Sort::price, Tier::flex},
                                         {":floor", ":floor", Sort::none, Tier::standard},
                                         {"a/b:Floor", "a/b:Floor", Sort::none, Tier::standard}}) {
    const ModelName got = split_suffix(row.asked);
    EXPECT_EQ(got.name, row.name) << row.asked;
    EXPECT_TRUE(got.sort == row.sort) << row.asked;
    EXPECT_EQ(got.tier, row.tier) << row.asked;
  }
}

TEST(ModelName, an_unknown_one_is_refused_with_what_it_is) {
  struct Row {
    std::string_view asked;
    int status;
    std::string_view part;
  };
  for (const Row& row : std::vector<Row>{{"@preset/mine", 400, "presets"},
                                         {"a/b@preset/mine", 400, "presets"},
                                         {"~openai/latest", 404, "alias"},
                                         {"a/b:free", 404, "free variant"},
                                         {"a/b:online", 404, ":online"},
                                         {"a/b:thinking", 404, ":thinking"},
                                         {"a/b", 404, "no model of that name"}}) {
    const Error error = explain_unknown_model(row.asked);
    EXPECT_EQ(error.http_status(), row.status) << row.asked;
    EXPECT_EQ(error.param(), "model") << row.asked;
    EXPECT_NE(error.message().find(row.part), std::string::npos) << row.asked << ": " << error.message();
  }
}

}  // namespace
}  // namespace embedrouter::routing
