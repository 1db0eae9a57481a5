#include "hub/traveller.h"

#include <utility>

namespace embedrouter::hub {
namespace {

constexpr int kMostRedirects = 5;
constexpr std::size_t kMostInMemory = 32U
                                      << 20;  // of an answer that no sink takes: a list of files, an error

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool same_origin(const net::Url& a, const net::Url& b) {
  return a.tls == b.tls && a.host == b.host && a.port == b.port;
}

std::string name_of(const net::Url& origin) {
  return (origin.tls ? "https://" : "http://") + origin.authority();
}

auto lost(std::string_view why) {
  return fail(ErrorCode::upstream_redirected, "the hub redirects " + std::string(why));
}

}  // namespace

Result<Destination> follow(const net::Url& from, std::string_view location) {
  location = location.substr(0, location.find('#'));
  Destination there;
  if (location.starts_with('/') && !location.starts_with("//")) {
    there.origin = from;
    there.target = location;
    return there;
  }
  std::string absolute(location);
  if (location.starts_with("//")) absolute.insert(0, from.tls ? "https:" : "http:");
  const std::size_t scheme = absolute.find("://");
  if (scheme == std::string::npos) return lost("to something that is no address");
  const std::size_t path = std::min(absolute.find_first_of("/?", scheme + 3), absolute.size());
  auto origin = net::Url::parse(absolute.substr(0, path));
  if (!origin) return lost("to something that is no address");
  if (from.tls && !origin->tls) return lost("from https to http, where nothing is fetched");
  there.origin = *std::move(origin);
  there.target = absolute.substr(path);
  if (!there.target.starts_with('/')) there.target.insert(0, "/");
  return there;
}

Traveller::Traveller(asio::io_context& io, net::Url origin, std::string token, Reach reach)
    : io_(io), origin_(std::move(origin)), token_(std::move(token)), reach_(std::move(reach)) {}

Result<net::Client*> Traveller::client(const net::Url& origin) {
  std::unique_ptr<net::Client>& kept = clients_[name_of(origin)];
  if (kept) return kept.get();
  auto options = reach_(origin);
  if (!options) return fail(std::move(options).error());
  options->show_redirects = true;
  options->limits.body_bytes = kMostInMemory;
  options->http2 = false;  // one transfer at a time, in large pieces
  auto made = net::Client::make(io_, origin, *options);
  if (!made) return fail(std::move(made).error());
  kept = *std::move(made);
  return kept.get();
}

Task<Result<net::ClientResponse>> Traveller::ask(const Question& question) {
  Destination here;
  here.origin = origin_;
  here.target = question.target;
  for (int redirects = 0;; ++redirects) {
    auto asked = client(here.origin);
    if (!asked) co_return fail(std::move(asked).error());
    net::ClientRequest request;
    request.method = question.method;
    request.target = here.target;
    request.headers = question.headers;
    request.headers.push_back({"User-Agent", "embedrouter"});
    if (!token_.empty() && same_origin(here.origin, origin_))
      request.headers.push_back({"Authorization", "Bearer " + token_});
    request.sink = question.sink;
    net::Client& client = **asked;
    auto answer = co_await client.send(std::move(request));
    if (!answer || !is_redirect(answer->status)) co_return answer;
    auto there = follow(here.origin, answer->headers.find("location").value_or(""));
    if (!there) co_return fail(std::move(there).error());
    if (question.abroad == Abroad::stay && !same_origin(there->origin, here.origin)) co_return answer;
    if (redirects == kMostRedirects) co_return lost("again and again");
    here = *std::move(there);
  }
}

}  // namespace embedrouter::hub
