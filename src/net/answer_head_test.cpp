#include "net/answer_head.h"

#include <gtest/gtest.h>

namespace embedrouter::net {
namespace {

using std::chrono::system_clock;

TEST(DateText, is_the_form_of_rfc_9110) {
  DateText date;
  EXPECT_EQ(date.at(system_clock::from_time_t(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(system_clock::from_time_t(784111777) + std::chrono::milliseconds(999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(system_clock::from_time_t(1709251199)), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(AnswerHead, holds_what_the_handler_set_and_what_is_nets_own) {
  Response response;
  response.status = 429;
  response.headers = {{"Retry-After", "1"}, {"X-Evil", "a\r\nSet-Cookie: b"}, {"X\nY", "z"}};
  response.body.append("{}");
  std::string head = "old";
  write_answer_head(response, Persistence::close, "now", head);
  EXPECT_EQ(head,
            "HTTP/1.1 429 Too Many Requests\r\nServer: embedrouter\r\nDate: now\r\nContent-Type: "
            "application/json\r\n"
            "Content-Length: 2\r\nConnection: close\r\nRetry-After: 1\r\n\r\n");
}

TEST(AnswerHead, of_a_bodiless_status_names_no_length) {
  Response response;
  response.status = 204;
  std::string head;
  write_answer_head(response, Persistence::keep, "now", head);
  EXPECT_EQ(head,
            "HTTP/1.1 204 No Content\r\nServer: embedrouter\r\nDate: now\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace embedrouter::net
