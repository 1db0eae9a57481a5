#pragma once
// For the tests: an upstream of exact bytes.

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "net/test_sockets.h"

namespace embedrouter::net::testing {

// `script` talks to each of `connections` in turn, on 127.0.0.1.
class Upstream {
 public:
  using Script = std::function<void(RawSocket&, int)>;
  Upstream(int connections, Script script)
      : listener_(RawSocket::listen()), thread_([this, connections, script = std::move(script)] {
          for (int i = 0; i < connections; ++i) {
            RawSocket socket = listener_.accept();
            script(socket, i);
          }
        }) {}
  ~Upstream() { thread_.join(); }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  unsigned short port() const { return listener_.port(); }

 private:
  RawSocket listener_;
  std::thread thread_;
};

inline constexpr std::string_view kGood = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Hears one request and says `answer`.
inline Upstream::Script says(std::string answer) {
  return [answer = std::move(answer)](RawSocket& socket, int) {
    socket.read_message();
    socket.send(answer);
  };
}

}  // namespace embedrouter::net::testing
