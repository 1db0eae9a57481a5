// The cost of net alone: a proxy that passes POSTs on and answers back, nothing else.
//   net_proxy 127.0.0.1:9101 http://127.0.0.1:9100 [threads]
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/client.h"
#include "net/server.h"

namespace {

using namespace embedrouter;

class Proxy final : public net::Handler {
 public:
  Proxy(asio::io_context& io, const net::Url& upstream)
      : client_(std::move(*net::Client::make(io, upstream, {}, {}, {}))) {}

  Task<net::Response> handle(net::Exchange& exchange) override {
    auto body = co_await exchange.read_body(64 << 20);
    if (!body) co_return refuse(body.error());
    net::ClientRequest request;
    request.target = std::string(exchange.head().path);
    request.headers.push_back({"Content-Type", "application/json"});
    const auto owner = std::make_shared<const Buffer>(std::move(*body));
    request.body.append_view(owner->view());
    request.body.keep_alive(owner);
    auto answer = co_await client_->send(std::move(request));
    if (!answer) co_return refuse(answer.error());
    net::Response response;
    response.status = answer->status;
    response.body.append_view(answer->body->view());
    response.body.keep_alive(answer->body);
    co_return response;
  }

  net::Response refuse(const Error& error) override {
    net::Response response;
    response.status = error.http_status();
    response.body.append(error.message());
    return response;
  }

 private:
  std::unique_ptr<net::Client> client_;
};

struct Thread {
  asio::io_context io{1};
  std::unique_ptr<Proxy> proxy;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: net_proxy LISTEN UPSTREAM [THREADS]\n"), 2;
  // Bodies come and go: giving their pages back to the system each time costs a fifth of a request.
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  const auto upstream = net::Url::parse(argv[2]);
  auto server = net::Server::listen(argv[1], {}, {});
  if (!upstream || !server)
    return std::fprintf(stderr, "%s\n", server ? "bad upstream" : server.error().message().c_str()), 1;
  std::vector<Thread> threads(argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1);
  for (Thread& thread : threads) {
    thread.proxy = std::make_unique<Proxy>(thread.io, *upstream);
    (*server)->serve(thread.io, *thread.proxy);
  }
  std::vector<std::jthread> running;
  for (std::size_t i = 1; i < threads.size(); ++i) running.emplace_back([&io = threads[i].io] { io.run(); });
  threads[0].io.run();
}
