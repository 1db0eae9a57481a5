#include "providers/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

#include "base/ascii.h"

namespace embedrouter::providers {
namespace {

using std::chrono::milliseconds;
using Wait = std::optional<milliseconds>;

constexpr double kMsPerSecond = 1000;

// Any time a provider may mean, so that it fits an integer.
Wait rounded(double ms) {
  constexpr double kLongest = 1e15;
  if (!(ms >= 0)) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(ms, kLongest))));
}

// Takes a number off the front of `text`: digits, with a fraction perhaps. No sign, no exponent.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const char* first = text.data();
  const auto [end, error] = std::from_chars(first, first + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value) || std::signbit(value)) return std::nullopt;
  if (*first < '0' || *first > '9') return std::nullopt;  // "inf", "nan", ".5"
  text.remove_prefix(static_cast<std::size_t>(end - first));
  return value;
}

std::optional<double> whole_number(std::string_view text) {
  const auto value = take_number(text);
  return text.empty() ? value : std::nullopt;
}

// Takes a unit of time off the front of `text`; milliseconds in it, nullopt if there is none.
std::optional<double> take_unit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  static constexpr std::array kUnits{
      Unit{"ms", 1},        Unit{"millisecond", 1}, Unit{"milliseconds", 1}, Unit{"s", 1e3},
      Unit{"sec", 1e3},     Unit{"secs", 1e3},      Unit{"second", 1e3},     Unit{"seconds", 1e3},
      Unit{"m", 6e4},       Unit{"min", 6e4},       Unit{"mins", 6e4},       Unit{"minute", 6e4},
      Unit{"minutes", 6e4}, Unit{"h", 3.6e6},       Unit{"hour", 3.6e6},     Unit{"hours", 3.6e6},
      Unit{"d", 8.64e7},    Unit{"day", 8.64e7},    Unit{"days", 8.64e7},
  };
  std::size_t length = 0;
  while (length < text.size() && ascii_lower(text[length]) >= 'a' && ascii_lower(text[length]) <= 'z')
    ++length;
  const std::string_view word = text.substr(0, length);
  const auto unit =
      std::ranges::find_if(kUnits, [&](const Unit& u) { return same_ignoring_case(u.name, word); });
  if (unit == kUnits.end()) return std::nullopt;
  text.remove_prefix(length);
  return unit->ms;
}

// "6m0s", "1.5 seconds", at the front of `text`, in milliseconds.
std::optional<double> take_duration(std::string_view& text) {
  std::optional<double> total;
  for (;;) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    if (!number) return total;
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const auto unit = take_unit(rest);
    if (!unit) return total;
    total = total.value_or(0) + *number * *unit;
    text = rest;
  }
}

Wait until(std::time_t then, Clock::Wall now) {
  const auto left = Clock::Wall(std::chrono::seconds(then)) - now;
  return rounded(std::max(0.0, std::chrono::duration<double, std::milli>(left).count()));
}

// The three forms of RFC 9110, section 5.6.7, all in GMT.
Wait date(std::string_view text, Clock::Wall now) {
  constexpr std::size_t kLongest = 40;
  if (text.size() > kLongest) return std::nullopt;
  const std::string copy(text);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(copy.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    // A year of two digits that seems more than 50 years ahead is one of the last century.
    constexpr int kCentury = 100;
    const std::time_t today = std::chrono::system_clock::to_time_t(now);
    std::tm present{};
    gmtime_r(&today, &present);
    if (form[1] == 'A' && parts.tm_year > present.tm_year + kCentury / 2) parts.tm_year -= kCentury;
    return until(timegm(&parts), now);
  }
  return std::nullopt;
}

Wait reset(std::string_view text, Clock::Wall now) {
  constexpr double kSecondsEpoch = 1e9,
                   kMillisecondsEpoch = 1e12;  // nothing smaller is a date of this century
  if (const auto number = whole_number(text)) {
    if (*number >= kMillisecondsEpoch)
      return until(static_cast<std::time_t>(std::min(*number, 1e15) / kMsPerSecond), now);
    if (*number >= kSecondsEpoch) return until(static_cast<std::time_t>(*number), now);
    return rounded(*number * kMsPerSecond);
  }
  const auto duration = take_duration(text);
  return duration && text.empty() ? rounded(*duration) : std::nullopt;
}

// The time behind the first of the phrases that providers use, or until the day one names.
Wait told(std::string_view message, Clock::Wall now) {
  constexpr std::string_view kAccess = "regain access on ";
  if (const auto found = std::ranges::search(message, kAccess, {}, ascii_lower); !found.empty()) {
    constexpr std::size_t kLength = std::string_view("2026-12-01 at 00:00 UTC").size();
    const std::string day(found.end(), message.end());
    std::tm parts{};
    const char* end = strptime(day.substr(0, kLength).c_str(), "%Y-%m-%d at %H:%M UTC", &parts);
    if (end != nullptr) return until(timegm(&parts), now);
  }
  for (const std::string_view phrase : {"retry after ", "retry in ", "try again in ", "try again after "}) {
    const auto found = std::ranges::search(message, phrase, {}, ascii_lower);
    if (found.empty()) continue;
    std::string_view rest = message.substr(static_cast<std::size_t>(found.end() - message.begin()));
    if (const auto duration = take_duration(rest)) return rounded(*duration);
  }
  return std::nullopt;
}

// The first that can be read.
Wait said(const RetryHints& hints, Clock::Wall now) {
  if (const auto ms = whole_number(hints.retry_after_ms)) return rounded(*ms);
  if (const auto seconds = whole_number(hints.retry_after)) return rounded(*seconds * kMsPerSecond);
  if (const auto wait = date(hints.retry_after, now)) return wait;
  const Wait latest = std::max(
      {reset(hints.reset_requests, now), reset(hints.reset_tokens, now), reset(hints.reset_all, now)});
  return latest ? latest : told(hints.message, now);
}

}  // namespace

std::optional<milliseconds> wait_of(const RetryHints& hints, Clock::Wall now, milliseconds longest) {
  const Wait wait = said(hints, now);
  return wait ? std::min(*wait, longest) : wait;
}

}  // namespace embedrouter::providers
