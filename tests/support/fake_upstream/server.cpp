#include "fake_upstream/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "fake_upstream/connection.h"
#include "fake_upstream/stream.h"

namespace embedrouter::fake_upstream {
namespace {

constexpr int kBacklog = 1024;

[[noreturn]] void stop_with(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int listen_on(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) stop_with("socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) stop_with("bind");
  if (listen(fd, kBacklog) != 0) stop_with("listen");
  return fd;
}

}  // namespace

Server::Server(const Options& options)
    : shared_(std::make_shared<Shared>(options.log_file)), handshake_(options.handshake) {
  shared_->width = options.width;
  shared_->seed = options.seed;
  if (!options.tls_cert_file.empty()) {
    shared_->tls.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate_chain_file(shared_->tls.get(), options.tls_cert_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(shared_->tls.get(), options.tls_key_file.c_str(), SSL_FILETYPE_PEM) !=
            1) {
      throw std::runtime_error("the certificate or its key cannot be read");
    }
  }
  listener_ = listen_on(options.port);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

Server::~Server() {
  close(listener_);
}

void Server::run() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      take(fd);
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void Server::take(int fd) const {
  if (handshake_ == Handshake::reset) {
    Stream(fd, nullptr).reset();
  } else if (handshake_ == Handshake::normal) {
    std::thread([shared = shared_, fd] { serve_connection(*shared, fd); }).detach();
  }  // stalled ones stay open, unread, until the process ends
}

void Server::stop() const {
  shutdown(listener_, SHUT_RDWR);
}

}  // namespace embedrouter::fake_upstream
