#include "net/answer_head.h"

#include <array>
#include <charconv>

#include "net/field_text.h"

namespace embedrouter::net {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Unnamed";  // the phrase means nothing to clients, but some insist on one
  }
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_two_digits(std::string& out, unsigned number) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

}  // namespace

std::string_view DateText::at(std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  const auto second = floor<seconds>(now);
  if (second == second_ && !text_.empty()) return text_;
  second_ = second;
  static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(second);
  const year_month_day date(day);
  const hh_mm_ss time(second - day);
  text_.assign(kDays[weekday(day).c_encoding()]);
  text_ += ", ";
  append_two_digits(text_, static_cast<unsigned>(date.day()));
  text_ += ' ';
  text_ += kMonths[static_cast<unsigned>(date.month()) - 1];
  text_ += ' ';
  append_number(text_, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  text_ += ' ';
  append_two_digits(text_, static_cast<unsigned>(time.hours().count()));
  text_ += ':';
  append_two_digits(text_, static_cast<unsigned>(time.minutes().count()));
  text_ += ':';
  append_two_digits(text_, static_cast<unsigned>(time.seconds().count()));
  text_ += " GMT";
  return text_;
}

void write_answer_head(const Response& response, Persistence persistence, std::string_view date,
                       std::string& out) {
  out.assign("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += reason(response.status);
  out += "\r\nServer: embedrouter\r\nDate: ";
  out += date;
  const bool may_have_body = response.status != 204 && response.status != 304;
  if (may_have_body && !response.content_type.empty()) {
    out += "\r\nContent-Type: ";
    out += response.content_type;
  }
  if (may_have_body) {
    out += "\r\nContent-Length: ";
    append_number(out, response.body.size());
  }
  if (persistence == Persistence::close) out += "\r\nConnection: close";
  if (persistence == Persistence::keep) out += "\r\nConnection: keep-alive";
  for (const OwnedHeader& header : response.headers) {
    if (header.name.empty() || has_line_break(header.name) || has_line_break(header.value)) continue;
    out += "\r\n";
    out += header.name;
    out += ": ";
    out += header.value;
  }
  out += "\r\n\r\n";
}

}  // namespace embedrouter::net
