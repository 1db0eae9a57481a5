#include "hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace embedrouter::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kCommit(40, 'c');

TEST(Hub, reads_the_commit_and_the_files_of_a_revision) {
  const auto revision = read_revision(
      R"({"id":"x/y","tags":["a"],"sha":")" + kCommit +
          R"(","siblings":[{"rfilename":"config.json"},{"size":3,"rfilename":"a\/b\u002ejson"},7]})",
      "me/it");
  ASSERT_TRUE(revision) << revision.error().message();
  EXPECT_EQ(revision->id, "me/it");
  EXPECT_EQ(revision->commit, kCommit);
  EXPECT_THAT(revision->files, ElementsAre("config.json", "a/b.json"));
}

TEST(Hub, refuses_what_no_hub_says) {
  for (const std::string& bad : {std::string(), std::string("<html>"), std::string("[]"), std::string("{}"),
                                 R"({"sha":"main"})" + std::string(), R"({"sha":")" + kCommit + "\"",
                                 R"({"sha":")" + std::string(40, '/') + "\"}"}) {
    const auto revision = read_revision(bad, "me/it");
    ASSERT_FALSE(revision) << bad;
    EXPECT_THAT(revision.error().message(), HasSubstr("me/it"));
  }
}

TEST(Hub, keeps_a_token_from_plain_http_but_on_this_machine) {
  asio::io_context io;
  const auto made = [&](std::string endpoint, std::string token) {
    return Hub::make(io, {std::move(endpoint), std::move(token), {}}).has_value();
  };
  EXPECT_FALSE(made("http://mirror.example", "hf_secret"));
  EXPECT_TRUE(made("http://mirror.example", ""));
  EXPECT_TRUE(made("https://mirror.example", "hf_secret"));
  EXPECT_TRUE(made("http://127.0.0.1:8000", "hf_secret"));
  EXPECT_FALSE(made("https://mirror.example", "hf secret"));
  EXPECT_FALSE(made("mirror.example", ""));
}

}  // namespace
}  // namespace embedrouter::hub
