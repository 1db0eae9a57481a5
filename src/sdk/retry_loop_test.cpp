#include "sdk/retry_loop.h"

#include <gtest/gtest.h>

namespace embedrouter::sdk {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kStart{1'700'000'000'000};

Result<HttpResponse> answer(int status, Headers headers = {}) {
  return HttpResponse{status, std::move(headers), {}, {}};
}

milliseconds first_wait(int status, Headers headers) {
  const RetryConfig config;
  RetryLoop loop(config, kStart);
  return loop.next(answer(status, std::move(headers)), kStart, 0.0).value_or(milliseconds(-1));
}

TEST(RetryLoop, backs_off_as_the_official_python_sdk) {
  const RetryConfig config;
  RetryLoop loop(config, kStart);
  // min(500 × 1.5^n + 1000 u, 60000)
  EXPECT_EQ(loop.next(answer(503), kStart, 0.0), milliseconds(500));
  EXPECT_EQ(loop.next(answer(503), kStart, 0.5), milliseconds(750 + 500));
  EXPECT_EQ(loop.next(answer(503), kStart, 0.25), milliseconds(1125 + 250));
  for (int i = 3; i < 20; ++i) EXPECT_TRUE(loop.next(answer(503), kStart, 0.0));
  EXPECT_EQ(loop.next(answer(503), kStart, 0.9), milliseconds(60'000));
  EXPECT_EQ(loop.attempts(), 21U);
}

TEST(RetryLoop, retries_what_the_contract_says) {
  const RetryConfig config;
  const auto retries = [&](const Result<HttpResponse>& came) {
    return RetryLoop(config, kStart).next(came, kStart, 0.0).has_value();
  };
  for (const int status : {500, 502, 503, 504, 524, 529, 599}) EXPECT_TRUE(retries(answer(status))) << status;
  for (const int status : {200, 400, 401, 402, 404, 408, 413, 429, 499})
    EXPECT_FALSE(retries(answer(status))) << status;
  for (const ErrorKind kind : {ErrorKind::connect_failed, ErrorKind::timed_out, ErrorKind::connection_lost})
    EXPECT_TRUE(retries(fail(kind, "")));
  for (const ErrorKind kind :
       {ErrorKind::protocol, ErrorKind::untrusted, ErrorKind::cancelled, ErrorKind::usage})
    EXPECT_FALSE(retries(fail(kind, "")));
}

TEST(RetryLoop, obeys_the_server) {
  EXPECT_EQ(first_wait(503, {{"Retry-After", "7"}}), milliseconds(7000));
  EXPECT_EQ(first_wait(503, {{"retry-after", " 0.25 "}}), milliseconds(250));
  EXPECT_EQ(first_wait(503, {{"Retry-After", "90000"}}), milliseconds(90'000'000));
  EXPECT_EQ(first_wait(503, {{"Retry-After", "7"}, {"retry-after-ms", "12"}}), milliseconds(12));
  EXPECT_EQ(first_wait(503, {{"Retry-After", "7"}, {"retry-after-ms", "soon"}}), milliseconds(7000));
  EXPECT_EQ(first_wait(503, {{"Retry-After", "7"}, {"retry-after-ms", "-3"}}), milliseconds(7000));
  // kStart is Tue, 14 Nov 2023 22:13:20 GMT.
  EXPECT_EQ(first_wait(503, {{"Retry-After", "Tue, 14 Nov 2023 22:13:30 GMT"}}), milliseconds(10'000));
  EXPECT_EQ(first_wait(503, {{"Retry-After", "Tue, 14 Nov 2023 22:13:10 GMT"}}), milliseconds(500));
}

TEST(RetryLoop, waits_by_itself_when_the_server_asks_for_nothing_usable) {
  for (const char* text : {"0", "-5", "inf", "nan", "soon", "", "1e999", "\xff"})
    EXPECT_EQ(first_wait(503, {{"Retry-After", text}}), milliseconds(500)) << text;
  EXPECT_EQ(first_wait(503, {{"Retry-After", "7"}, {"retry-after-ms", "0"}}), milliseconds(500));
}

TEST(RetryLoop, ends_when_the_time_is_over) {
  const RetryConfig config;
  RetryLoop loop(config, kStart);
  EXPECT_TRUE(loop.next(answer(503), kStart + config.backoff.max_elapsed, 0.0));
  EXPECT_FALSE(loop.next(answer(503), kStart + config.backoff.max_elapsed + milliseconds(1), 0.0));
}

TEST(RetryLoop, takes_codes_for_a_call) {
  RetryConfig config;
  config.status_codes = {"429", "5xx", "weird", ""};
  RetryLoop loop(config, kStart);
  EXPECT_TRUE(loop.next(answer(429), kStart, 0.0));
  EXPECT_TRUE(loop.next(answer(599), kStart, 0.0));
  EXPECT_FALSE(loop.next(answer(430), kStart, 0.0));
}

TEST(RetryLoop, has_a_ceiling_of_attempts_and_a_cap_on_waits) {
  RetryConfig config;
  config.max_attempts = 3;
  config.max_server_wait = milliseconds(2000);
  RetryLoop loop(config, kStart);
  EXPECT_EQ(loop.next(answer(503, {{"Retry-After", "3600"}}), kStart, 0.0), milliseconds(2000));
  EXPECT_EQ(loop.next(answer(503, {{"Retry-After", "1"}}), kStart, 0.0), milliseconds(1000));
  EXPECT_FALSE(loop.next(answer(503), kStart, 0.0));
}

TEST(RetryLoop, can_be_switched_off) {
  const RetryConfig config = RetryConfig::none();
  RetryLoop loop(config, kStart);
  EXPECT_FALSE(loop.next(answer(503), kStart, 0.0));
}

}  // namespace
}  // namespace embedrouter::sdk
