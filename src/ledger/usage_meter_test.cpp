#include "ledger/usage_meter.h"

#include <gtest/gtest.h>

namespace embedrouter::ledger {
namespace {

using namespace std::chrono_literals;

Clock::Wall noon(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) +
         12h;
}

TEST(UsageMeter, sums_by_key) {
  UsageMeter meter;
  const auto now = noon(2026, 11, 25);
  meter.add("a", 100, now);
  meter.add("a", 20, now);
  meter.add("b", 3, now);
  EXPECT_EQ(meter.of("a", now).total, 120);
  EXPECT_EQ(meter.of("b", now).today, 3);
  EXPECT_EQ(meter.of("c", now).total, 0);
}

TEST(UsageMeter, days_weeks_and_months_begin_anew_in_utc) {
  UsageMeter meter;
  meter.add("a", 1, noon(2026, 11, 29));  // a Sunday
  EXPECT_EQ(meter.of("a", noon(2026, 11, 29) + 11h).today, 1);
  const KeyUsage monday = meter.of("a", noon(2026, 11, 30));
  EXPECT_EQ(monday.today, 0);
  EXPECT_EQ(monday.this_week, 0) << "weeks begin on Monday";
  EXPECT_EQ(monday.this_month, 1);
  meter.add("a", 10, noon(2026, 11, 30));
  const KeyUsage tuesday = meter.of("a", noon(2026, 12, 1));
  EXPECT_EQ(tuesday.today, 0);
  EXPECT_EQ(tuesday.this_week, 10);
  EXPECT_EQ(tuesday.this_month, 0);
  EXPECT_EQ(tuesday.total, 11);
}

}  // namespace
}  // namespace embedrouter::ledger
