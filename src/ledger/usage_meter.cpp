#include "ledger/usage_meter.h"

namespace embedrouter::ledger {

UsageMeter::Periods::Periods(Clock::Wall now) {
  const auto date = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day calendar(date);
  day = date.time_since_epoch().count();
  week = std::chrono::floor<std::chrono::weeks>(date.time_since_epoch() + std::chrono::days(3)).count();
  month = int{calendar.year()} * std::int64_t{12} + unsigned{calendar.month()};
}

KeyUsage UsageMeter::as_of(const Spent& spent, const Periods& now) {
  KeyUsage usage = spent.usage;
  if (spent.until.day != now.day) usage.today = 0;
  if (spent.until.week != now.week) usage.this_week = 0;
  if (spent.until.month != now.month) usage.this_month = 0;
  return usage;
}

void UsageMeter::add(std::string_view key, std::int64_t pico_usd, Clock::Wall now) {
  if (pico_usd == 0) return;
  const Periods periods(now);
  const std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) found = by_key_.try_emplace(std::string(key), KeyUsage{}, periods).first;
  KeyUsage usage = as_of(found->second, periods);
  for (std::int64_t* sum : {&usage.total, &usage.today, &usage.this_week, &usage.this_month})
    *sum += pico_usd;
  found->second = {usage, periods};
}

KeyUsage UsageMeter::of(std::string_view key, Clock::Wall now) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? KeyUsage{} : as_of(found->second, Periods(now));
}

}  // namespace embedrouter::ledger
