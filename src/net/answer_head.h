#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "net/message.h"

namespace embedrouter::net {

// The Date header's value, printed again when its second is over. One thread.
class DateText {
 public:
  std::string_view at(std::chrono::system_clock::time_point now);

 private:
  std::chrono::sys_seconds second_{};
  std::string text_;
};

// How the answer ends the exchange; `close` is said in HTTP/1.1, `keep` only to those that asked in HTTP/1.0.
enum class Persistence : unsigned char { unsaid, keep, close };

// Writes the head of `response` to `out`, which is reused. Headers whose name or value holds a line break are
// left out.
void write_answer_head(const Response& response, Persistence persistence, std::string_view date,
                       std::string& out);

}  // namespace embedrouter::net
