#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace embedrouter::ledger {

// What a key has spent, 1e-12 USD; days, weeks (from Monday) and months are of UTC.
struct KeyUsage {
  std::int64_t total = 0, today = 0, this_week = 0, this_month = 0;
};

// The cost of every answer by key, since this process started. Thread-safe. Bounded by the number of keys.
class UsageMeter {
 public:
  // `key`: the hash of its record; empty where there are no keys.
  void add(std::string_view key, std::int64_t pico_usd, Clock::Wall now);
  KeyUsage of(std::string_view key, Clock::Wall now) const;

 private:
  struct Periods {
    std::int64_t day = 0, week = 0, month = 0;
    explicit Periods(Clock::Wall now);
  };
  struct Spent {
    KeyUsage usage;
    Periods until;  // the periods the usage is of
  };
  static KeyUsage as_of(const Spent& spent, const Periods& now);

  mutable std::mutex mutex_;
  std::map<std::string, Spent, std::less<>> by_key_;
};

}  // namespace embedrouter::ledger
