#include "providers/retry_after.h"

#include <gtest/gtest.h>

#include <vector>

namespace embedrouter::providers {
namespace {

// Thu, 26 Nov 2026 10:00:00 GMT.
const Clock::Wall kNow{std::chrono::seconds(1'795'687'200)};

struct Row {
  RetryHints hints;
  std::optional<int> ms;
};

void expect(const std::vector<Row>& rows) {
  for (const auto& [hints, ms] : rows) {
    const auto wait = wait_of(hints, kNow);
    const auto said = ::testing::Message()
                      << hints.retry_after_ms << '|' << hints.retry_after << '|' << hints.reset_requests
                      << '|' << hints.reset_tokens << '|' << hints.message;
    ASSERT_EQ(wait.has_value(), ms.has_value()) << said;
    if (wait) EXPECT_EQ(wait->count(), *ms) << said;
  }
}

TEST(RetryAfter, reads_seconds_whole_and_in_fractions) {
  expect({{{.retry_after = "2"}, 2000},
          {{.retry_after = "1.5"}, 1500},
          {{.retry_after = "0"}, 0},
          {{.retry_after = "0.0001"}, 1}});
}

TEST(RetryAfter, reads_the_three_forms_of_a_date) {
  expect({{{.retry_after = "Thu, 26 Nov 2026 10:00:30 GMT"}, 30'000},
          {{.retry_after = "Thursday, 26-Nov-26 10:00:30 GMT"}, 30'000},
          {{.retry_after = "Thu Nov 26 10:00:30 2026"}, 30'000}});
}

TEST(RetryAfter, takes_a_past_date_for_now) {
  expect({{{.retry_after = "Thu, 26 Nov 2026 09:59:59 GMT"}, 0},
          {{.retry_after = "Sunday, 06-Nov-94 08:49:37 GMT"}, 0},
          {{.retry_after = "Sun Nov  6 08:49:37 1994"}, 0}});
}

TEST(RetryAfter, waits_a_minute_at_most) {
  expect({{{.retry_after = "1000000000"}, 60'000},
          {{.retry_after = "99999999999999999999999999"}, 60'000},
          {{.retry_after = "Fri, 26 Nov 2027 10:00:00 GMT"}, 60'000},
          {{.retry_after_ms = "3600000"}, 60'000},
          {{.reset_tokens = "6m0s"}, 60'000},
          {{.message = "retry after 2 hours"}, 60'000}});
}

TEST(RetryAfter, leaves_junk_to_the_own_backoff) {
  expect({{{.retry_after = ""}, std::nullopt},
          {{.retry_after = "-3"}, std::nullopt},
          {{.retry_after = "-0"}, std::nullopt},
          {{.retry_after = "soon"}, std::nullopt},
          {{.retry_after = "2 3"}, std::nullopt},
          {{.retry_after = "1e3"}, std::nullopt},
          {{.retry_after = "inf"}, std::nullopt},
          {{.retry_after = "nan"}, std::nullopt},
          {{.retry_after = "Thu, 99 Nov 2026 10:00:30 GMT"}, std::nullopt},
          {{.retry_after = "Thu, 26 Nov 2026 10:00:30 GMT and some"}, std::nullopt},
          {{.reset_requests = "6 parsecs"}, std::nullopt},
          {{.message = "please retry after a while"}, std::nullopt},
          {{.message = "retry after "}, std::nullopt}});
}

TEST(RetryAfter, prefers_milliseconds_as_the_official_clients_do) {
  expect({{{.retry_after_ms = "250", .retry_after = "2"}, 250},
          {{.retry_after_ms = "junk", .retry_after = "2"}, 2000},
          {{.retry_after = "2", .reset_requests = "9s", .message = "try again in 7s"}, 2000}});
}

TEST(RetryAfter, reads_the_reset_of_a_limit_as_duration_seconds_or_epoch) {
  expect({{{.reset_requests = "1s"}, 1000},
          {{.reset_requests = "1m30s", .reset_tokens = "20ms"}, 60'000},
          {{.reset_requests = "120ms", .reset_tokens = "7.66s"}, 7660},
          {{.reset_requests = "5"}, 5000},
          {{.reset_requests = "1795687215"}, 15'000},
          {{.reset_requests = "1795687215000"}, 15'000},
          {{.reset_requests = "1700000000"}, 0}});
}

TEST(RetryAfter, reads_the_wait_that_only_the_message_tells) {
  expect({{{.message = "Rate limit reached, retry after 55 seconds."}, 55'000},
          {{.message = "Please try again in 1.2s. Visit us"}, 1200},
          {{.message = "Too busy. Retry in 250ms"}, 250},
          {{.message = "TRY AGAIN IN 20 Seconds"}, 20'000}});
}

}  // namespace
}  // namespace embedrouter::providers
