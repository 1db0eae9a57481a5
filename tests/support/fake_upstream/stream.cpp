#include "fake_upstream/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <utility>

namespace embedrouter::fake_upstream {

Stream::Stream(int fd, SSL_CTX* tls) : fd_(fd) {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (tls == nullptr) return;
  ssl_.reset(SSL_new(tls));
  SSL_set_fd(ssl_.get(), fd_);
  if (SSL_accept(ssl_.get()) != 1) {
    ERR_clear_error();
    close();
  }
}

Stream::~Stream() {
  close();
}

std::size_t Stream::read(char* to, std::size_t size) {
  if (!ok()) return 0;
  if (ssl_) {
    ERR_clear_error();
    return static_cast<std::size_t>(
        std::max(0, SSL_read(ssl_.get(), to, static_cast<int>(std::min<std::size_t>(size, INT_MAX)))));
  }
  return static_cast<std::size_t>(std::max<ssize_t>(0, recv(fd_, to, size, 0)));
}

bool Stream::write(std::string_view bytes) {
  while (ok() && !bytes.empty()) {
    ssize_t sent = 0;
    if (ssl_) {
      ERR_clear_error();
      sent =
          SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
    } else {
      sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ok();
}

bool Stream::linger(std::chrono::milliseconds time) const {
  const auto until = std::chrono::steady_clock::now() + time;
  while (ok()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    pollfd gone{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    if (poll(&gone, 1, static_cast<int>(left.count())) > 0) return false;
  }
  return false;
}

void Stream::reset() {
  if (!ok()) return;
  const struct ::linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Stream::close() {
  if (ok()) ::close(std::exchange(fd_, -1));
}

}  // namespace embedrouter::fake_upstream
