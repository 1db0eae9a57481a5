#include "sdk/retry_loop.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace embedrouter::sdk {
namespace {

using Milliseconds = std::chrono::milliseconds;

// A wait beyond this is no wait but a mistake; it also keeps sums of times in range.
constexpr double kLongestWait = 1e12;

std::optional<double> read_number(std::string_view text) {
  const auto blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(blank) + 1 - first);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

Milliseconds rounded(double milliseconds) {
  return Milliseconds(static_cast<std::int64_t>(std::nearbyint(std::clamp(milliseconds, 0.0, kLongestWait))));
}

std::optional<Milliseconds> read_retry_after(const std::string& text, Milliseconds now) {
  if (const auto seconds = read_number(text)) return rounded(*seconds * 1000);
  const time_t date = curl_getdate(text.c_str(), nullptr);
  if (date == -1) return std::nullopt;
  return rounded(static_cast<double>(date) * 1000 - static_cast<double>(now.count()));
}

// "503", or "5XX" for 500 to 599.
bool matches(std::string_view code, int status) {
  if (code.size() != 3) return false;
  if (code[1] == 'X' || code[1] == 'x' || code[2] == 'X' || code[2] == 'x')
    return status / 100 == code[0] - '0';
  return code == std::to_string(status);
}

}  // namespace

std::optional<Milliseconds> server_wait(const Headers& headers, Milliseconds now) {
  std::optional<Milliseconds> wait;
  if (const std::string* after = headers.find("retry-after")) wait = read_retry_after(*after, now);
  if (const std::string* after = headers.find("retry-after-ms")) {
    const auto milliseconds = read_number(*after);
    if (milliseconds && *milliseconds >= 0) wait = rounded(*milliseconds);
  }
  return wait && *wait > Milliseconds(0) ? wait : std::nullopt;
}

bool RetryLoop::is_retryable(const Result<HttpResponse>& answer) const {
  if (!config_.enabled) return false;
  if (!answer) {
    const ErrorKind kind = answer.error().kind();
    return config_.connection_errors && (kind == ErrorKind::connect_failed || kind == ErrorKind::timed_out ||
                                         kind == ErrorKind::connection_lost);
  }
  if (config_.status_codes.empty()) return answer->status / 100 == 5;
  return std::ranges::any_of(config_.status_codes,
                             [&](const std::string& code) { return matches(code, answer->status); });
}

std::optional<Milliseconds> RetryLoop::next(const Result<HttpResponse>& answer, Milliseconds now,
                                            double uniform) {
  const std::uint32_t retry = attempts_++;
  if (!is_retryable(answer)) return std::nullopt;
  if (config_.max_attempts != 0 && attempts_ >= config_.max_attempts) return std::nullopt;
  if (now - start_ > config_.backoff.max_elapsed) return std::nullopt;
  if (answer) {
    if (const auto wait = server_wait(answer->headers, now)) {
      return config_.max_server_wait ? std::min(*wait, *config_.max_server_wait) : *wait;
    }
  }
  const Backoff& backoff = config_.backoff;
  const double wait = static_cast<double>(backoff.initial.count()) * std::pow(backoff.exponent, retry) +
                      uniform * static_cast<double>(backoff.jitter.count());
  // A NaN from absurd settings is no time either.
  const double longest = static_cast<double>(backoff.max.count());
  return rounded(wait < longest ? wait : longest);
}

}  // namespace embedrouter::sdk
