#include "net/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace embedrouter::net {
namespace {

std::string text_of(const Tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

tl::unexpected<Error> cannot_listen(const Tcp::endpoint& endpoint, int cause) {
  std::string advice = std::strerror(cause);
  if (cause == EADDRINUSE) advice = "the port is taken; stop the other program or choose another port";
  if (cause == EADDRNOTAVAIL) advice = "this machine has no such address";
  if (cause == EACCES) advice = "no permission; ports below 1024 need a privilege, so choose a higher one";
  return fail(ErrorCode::internal, "cannot listen on " + text_of(endpoint) + ": " + advice);
}

}  // namespace

Result<Tcp::endpoint> parse_listen_address(const std::string& address) {
  const auto bad = [&] {
    return fail(
        ErrorCode::invalid_request,
        "\"" + address + "\" is not an address to listen on; write it like 127.0.0.1:8080 or [::1]:8080");
  };
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return bad();
  std::string host = address.substr(0, colon);
  const std::string_view port_text = std::string_view(address).substr(colon + 1);
  std::uint16_t port = 0;
  const char* end = port_text.data() + port_text.size();
  const auto parsed = std::from_chars(port_text.data(), end, port);
  if (port_text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return bad();
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return bad();
  }
  if (host == "localhost") host = "127.0.0.1";
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  if (error) return bad();
  return Tcp::endpoint(ip, port);
}

Result<int> open_listener(Tcp::endpoint& endpoint) {
  const int fd = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_listen(endpoint, errno);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(fd, SOMAXCONN) != 0) {
    const int cause = errno;
    ::close(fd);
    return cannot_listen(endpoint, cause);
  }
  auto length = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &length) == 0) endpoint.resize(length);
  return fd;
}

}  // namespace embedrouter::net
