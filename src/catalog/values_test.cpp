#include "catalog/values.h"

#include <gtest/gtest.h>

#include "catalog/catalog.h"

namespace embedrouter::catalog {
namespace {

using std::chrono::milliseconds;

TEST(Values, durations_have_a_unit) {
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  for (const char* bad :
       {"", "30", "s", "-1s", "+1s", "1.5s", "30 s", "30S", "30d", "99999999999999999999s", "9999999h"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Values, sizes_are_bytes_or_binary_units) {
  EXPECT_EQ(parse_bytes("4096"), 4096U);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
  EXPECT_EQ(parse_bytes("32MiB"), 32U << 20);
  EXPECT_EQ(parse_bytes("3GiB"), 3ULL << 30);
  for (const char* bad :
       {"", "MiB", "32MB", "32 MiB", "-1", "1.5GiB", "99999999999GiB", "99999999999999999999"}) {
    EXPECT_FALSE(parse_bytes(bad)) << bad;
  }
}

TEST(Values, model_ids_are_author_and_slug) {
  for (const char* good :
       {"openai/text-embedding-3-small", "a/b", "~latest/x_1.0", "Qwen/Qwen3-Embedding-8B"}) {
    EXPECT_TRUE(is_model_id(good)) << good;
    EXPECT_TRUE(is_alias(good)) << good;
  }
  EXPECT_TRUE(is_model_id("a/b:free")) << "a model of its own";
  EXPECT_FALSE(is_alias("a/b:free"));
  for (const char* bad : {"", "small", "/b", "a/", "a/b/c", "a/b:nitro", "a:free", ":free", "a/b:free:free",
                          "@preset/x", "a/b c", "a/\xC3\xA9", "a/b\n"}) {
    EXPECT_FALSE(is_model_id(bad)) << bad;
  }
  EXPECT_TRUE(is_alias("small"));
  EXPECT_FALSE(is_alias("small:nitro"));
  EXPECT_FALSE(is_alias(std::string(201, 'a')));
}

TEST(Values, provider_slugs_are_lower_case_with_one_region) {
  for (const char* good : {"openai", "tei-2", "google-vertex/us-east5", "v1.2_x"})
    EXPECT_TRUE(is_provider_slug(good)) << good;
  for (const char* bad : {"", "OpenAI", "-a", "a-", "a/b/c", "a/", "a b", "a@b", "a:b"})
    EXPECT_FALSE(is_provider_slug(bad)) << bad;
}

TEST(Values, listen_addresses_and_loopback) {
  for (const char* good : {"127.0.0.1:8080", "[::1]:0", "localhost:1", "127.9.8.7:65535", "LOCALHOST:80"}) {
    ASSERT_TRUE(parse_listen(good)) << good;
    EXPECT_TRUE(is_loopback(*parse_listen(good))) << good;
  }
  for (const char* open :
       {"0.0.0.0:80", "[::]:80", "example.org:80", "127.example.org:80", "127.0.0.1.5:80"}) {
    ASSERT_TRUE(parse_listen(open)) << open;
    EXPECT_FALSE(is_loopback(*parse_listen(open))) << open;
  }
  for (const char* bad : {"", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:8080", "a b:1",
                          "[]:1", "h:-1", "h:1x"}) {
    EXPECT_FALSE(parse_listen(bad)) << bad;
  }
}

TEST(Values, base_urls_hold_no_secret) {
  for (const char* good :
       {"https://api.openai.com/v1", "http://localhost:8080", "http://[::1]:80/x", "https://a-b.c"}) {
    EXPECT_TRUE(is_base_url(good)) << good;
  }
  for (const char* bad :
       {"", "api.openai.com", "ftp://a", "https://", "https:///v1", "https://u:p@a/", "https://a/?key=1",
        "https://a/#f", "https://a b", "https://a:99999", "https://a\n"}) {
    EXPECT_FALSE(is_base_url(bad)) << bad;
  }
}

TEST(Values, origins_are_as_browsers_write_them) {
  for (const char* good : {"https://app.example.com", "http://localhost:3000", "http://[::1]:8080"}) {
    EXPECT_TRUE(is_origin(good)) << good;
  }
  for (const char* bad :
       {"", "*", "null", "app.example.com", "https://app.example.com/", "https://App.example.com",
        "https://a:443", "http://a:80", "https://a/x", "ftp://a"}) {
    EXPECT_FALSE(is_origin(bad)) << bad;
  }
}

TEST(Values, a_tilde_is_the_home_only_in_front) {
  EXPECT_EQ(expand_home("~/x", "/h"), "/h/x");
  EXPECT_EQ(expand_home("~", "/h"), "/h");
  EXPECT_EQ(expand_home("/a/~", "/h"), "/a/~");
  EXPECT_EQ(expand_home("~other/x", "/h"), "~other/x");
  EXPECT_EQ(expand_home("rel", ""), "rel");
  EXPECT_FALSE(expand_home("~/x", ""));
}

TEST(Values, the_nearest_word_is_near) {
  EXPECT_EQ(nearest("lisen", {"auth", "listen"}), "listen");
  EXPECT_EQ(nearest("Listen", {"auth", "listen"}), "listen");
  EXPECT_EQ(nearest("atuh", {"auth", "listen"}), "auth");
  EXPECT_EQ(nearest("database", {"auth", "listen"}), "");
  EXPECT_EQ(nearest("", {"auth"}), "");
}

TEST(Values, prices_are_exact_decimals) {
  EXPECT_EQ(parse_price("0"), 0);
  EXPECT_EQ(parse_price("0.00000002"), 20'000);
  EXPECT_EQ(parse_price("0.000000000001"), 1);
  EXPECT_EQ(parse_price("1.5"), 1'500'000'000'000);
  EXPECT_EQ(parse_price("9223372.036854775807"), 9'223'372'036'854'775'807);
  for (const char* bad : {"", ".", "1.", ".5", "-1", "+1", "1e-8", "0.0000000000001", "9223372.036854775808",
                          "1,5", " 1", "NaN"}) {
    EXPECT_FALSE(parse_price(bad)) << bad;
  }
}

TEST(Values, money_prints_as_the_shortest_decimal) {
  EXPECT_EQ(format_pico_usd(0), "0");
  EXPECT_EQ(format_pico_usd(160'000), "0.00000016");
  EXPECT_EQ(format_pico_usd(1), "0.000000000001");
  EXPECT_EQ(format_pico_usd(2'000'000'000'000), "2");
  EXPECT_EQ(format_pico_usd(-1'500'000'000'000), "-1.5");
  EXPECT_EQ(format_pico_usd(std::numeric_limits<std::int64_t>::min()), "-9223372.036854775808");
}

}  // namespace
}  // namespace embedrouter::catalog
