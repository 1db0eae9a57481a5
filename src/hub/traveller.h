#pragma once
#include <embedrouter/result.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/client.h"

namespace embedrouter::hub {

// Where a Location leads, seen from the request that it answers.
struct Destination {
  net::Url origin;     // its path is not looked at
  std::string target;  // path and query
};
// Absolute, "//host/…" and "/…" alike. Fails on what is none of these, and where TLS would be left.
Result<Destination> follow(const net::Url& from, std::string_view location);

// Asks one origin and goes where it redirects to. What is secret is told to that origin alone. One thread.
class Traveller {
 public:
  // How a host is reached: proxies, deadlines, authorities.
  using Reach = std::function<Result<net::ClientOptions>(const net::Url&)>;
  // `token`: of Authorization; empty: none. `io` must outlive it.
  Traveller(asio::io_context& io, net::Url origin, std::string token, Reach reach);

  enum class Abroad : std::uint8_t { go, stay };
  struct Question {
    std::string_view method;
    std::string target;
    std::vector<net::OwnedHeader> headers;
    net::BodySink* sink = nullptr;
    // A redirect to another origin is followed, or is the answer.
    Abroad abroad = Abroad::go;
  };
  // The answer at the end of the way, of any other status. `question` must outlive the task.
  Task<Result<net::ClientResponse>> ask(const Question& question);
  const net::Url& origin() const noexcept { return origin_; }

 private:
  Result<net::Client*> client(const net::Url& origin);

  asio::io_context& io_;
  net::Url origin_;
  std::string token_;
  Reach reach_;
  std::unordered_map<std::string, std::unique_ptr<net::Client>> clients_;
};

}  // namespace embedrouter::hub
