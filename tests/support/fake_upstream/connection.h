#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fake_upstream/attempts.h"
#include "fake_upstream/behaviour.h"

namespace embedrouter::fake_upstream {

struct Shared {
  std::size_t width = 64;
  std::uint64_t seed = 0;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls{nullptr, SSL_CTX_free};  // null: plain
  Attempts attempts;
  Behaviour behaviour;
  std::atomic<std::uint64_t> connections{0};

  explicit Shared(const std::string& log_file) : attempts(log_file) {}
};

// Serves the connection on `fd`, which it owns, until it ends.
void serve_connection(Shared& shared, int fd);

}  // namespace embedrouter::fake_upstream
