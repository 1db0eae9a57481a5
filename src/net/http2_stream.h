#pragma once
#include <nghttp2/nghttp2.h>

#include <optional>
#include <string>
#include <vector>

#include "net/client.h"
#include "net/response_body.h"
#include "net/signal.h"

namespace embedrouter::net {

// One request and its answer on an HTTP/2 connection. Lives in the frame of the coroutine that asked.
struct Http2Stream {
  enum class Wait : std::uint8_t { write, first_byte, body };

  Http2Stream(const ClientRequest& what, const Executor& executor)
      : request(what), changed(executor), begun(steady_now()) {}

  const ClientRequest& request;
  Signal changed;
  const Clock::Steady begun;
  std::int32_t id = -1;

  Wait wait = Wait::write;
  Clock::Steady step_end{};
  Clock::Steady awaited{};  // when the coroutine looks again

  // The request's body: how far it is out.
  std::size_t piece = 0;
  std::size_t offset = 0;
  bool sent = false;

  // The answer.
  int status = 0;
  std::size_t header_bytes = 0;  // interim heads too
  std::string head;              // names and values, one after the other
  struct Field {
    std::size_t name, value, end;  // where they begin in `head`, and end
  };
  std::vector<Field> fields;
  std::optional<ResponseBody> body;
  std::string coded;  // bytes of a coded body that are not decoded yet: at most a window
  bool heard = false;
  bool complete = false;  // its last byte is here
  bool closed = false;    // nothing more comes
  std::uint32_t close_code = NGHTTP2_NO_ERROR;
  std::optional<Error> fault;  // found here

  void expect(Wait what, std::chrono::milliseconds time) {
    wait = what;
    step_end = steady_now() + time;
    if (step_end < awaited) changed.notify();
  }
  bool over() const noexcept { return complete || closed || fault; }
};

}  // namespace embedrouter::net
