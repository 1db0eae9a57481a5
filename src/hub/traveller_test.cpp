#include "hub/traveller.h"

#include <gtest/gtest.h>

namespace embedrouter::hub {
namespace {

net::Url url(const char* text) {
  return *net::Url::parse(text);
}

TEST(Follow, stays_at_the_origin_for_a_path) {
  const auto there = follow(url("https://hub.example:444"), "/other/name?x=%2F#part");
  ASSERT_TRUE(there);
  EXPECT_EQ(there->origin.authority(), "hub.example:444");
  EXPECT_EQ(there->target, "/other/name?x=%2F");
}

TEST(Follow, goes_where_an_address_says) {
  const auto there = follow(url("https://hub.example"), "https://cdn.example/a/b?Signature=x~y&Expires=1");
  ASSERT_TRUE(there);
  EXPECT_EQ(there->origin.host, "cdn.example");
  EXPECT_TRUE(there->origin.tls);
  EXPECT_EQ(there->target, "/a/b?Signature=x~y&Expires=1");
  EXPECT_EQ(follow(url("https://hub.example"), "//cdn.example?q")->target, "/?q");
  EXPECT_EQ(follow(url("http://hub.example"), "//cdn.example")->origin.tls, false);
  EXPECT_EQ(follow(url("http://hub.example"), "https://cdn.example")->target, "/");
}

TEST(Follow, refuses_what_leads_nowhere_or_out_of_tls) {
  for (const char* bad : {"", "next", "ftp://cdn.example/", "https://", "https://u:p@cdn.example/",
                          "https://cdn.example:0/", "http://cdn.example/plain"})
    EXPECT_FALSE(follow(url("https://hub.example"), bad)) << bad;
}

}  // namespace
}  // namespace embedrouter::hub
