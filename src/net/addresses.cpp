#include "net/addresses.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "net/client_fault.h"

namespace embedrouter::net {
namespace {

using Address = asio::ip::address;

constexpr std::chrono::seconds kFresh{5};
constexpr std::chrono::seconds kPatience{1};     // with a name server, while the last answer may serve
constexpr std::chrono::seconds kRemembered{30};  // that an address failed

// RFC 8305 section 4: the families in turn, each in the resolver's order (RFC 6724).
std::vector<Address> families_in_turn(const std::vector<Address>& found) {
  std::vector<Address> first, second;
  for (const Address& address : found) {
    (address.is_v6() == found.front().is_v6() ? first : second).push_back(address);
  }
  std::vector<Address> mixed;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

Error unresolved(const std::string& host, const std::string& why) {
  return unreachable("the upstream's name cannot be resolved", "resolving " + host + ": " + why);
}

}  // namespace

Result<std::vector<Address>> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* listed = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &listed);
  if (failed != 0) return fail(unresolved(host, ::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(listed, &::freeaddrinfo);
  std::vector<Address> found;
  for (const addrinfo* each = listed; each != nullptr; each = each->ai_next) {
    Tcp::endpoint endpoint;
    if (each->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    endpoint.resize(each->ai_addrlen);
    found.push_back(endpoint.address());
  }
  return found;
}

struct Addresses::State {
  // What a lookup's thread may touch: it may outlive all else here.
  struct Return {
    std::mutex mutex;
    asio::io_context* io;  // null once nobody waits
  };
  struct Failure {
    Address address;
    Clock::Steady until;
  };

  State(asio::io_context& io_context, std::string name, std::uint16_t number, Lookup function,
        std::chrono::milliseconds stale_for)
      : io(io_context),
        host(std::move(name)),
        port(number),
        lookup(std::move(function)),
        stale(stale_for),
        arrived(io.get_executor()),
        way_back(std::make_shared<Return>()) {
    way_back->io = &io;
    error_code not_numeric;
    const Address numeric = asio::ip::make_address(host, not_numeric);
    if (!not_numeric) literal = numeric;
  }

  asio::io_context& io;
  std::string host;
  std::uint16_t port;
  Lookup lookup;
  std::chrono::milliseconds stale;
  std::optional<Address> literal;
  Signal arrived;
  std::shared_ptr<Return> way_back;
  bool looking = false;
  std::uint64_t lookups = 0;  // ended
  Clock::Steady known_at{};   // or known to be all there is
  Clock::Steady good_until{};
  std::vector<Address> known;
  std::optional<Error> failure;  // of the last lookup
  std::vector<Failure> failures;

  bool fresh() const { return !known.empty() && steady_now() - known_at < kFresh; }
  bool usable() const { return !known.empty() && steady_now() < good_until; }

  void look(const std::shared_ptr<State>& self) {
    looking = true;
    try {
      std::thread([weak = std::weak_ptr(self), name = host, look_up = lookup, back = way_back] {
        auto found = look_up(name);
        const std::lock_guard lock(back->mutex);
        if (!back->io) return;
        asio::post(*back->io, [weak, found = std::move(found)]() mutable {
          if (const auto state = weak.lock()) state->take(std::move(found));
        });
      }).detach();
    } catch (const std::system_error& error) {
      take(fail(unresolved(host, error.code().message())));
    }
  }

  void take(Result<std::vector<Address>> found) {
    looking = false;
    ++lookups;
    failure.reset();
    if (!found) {
      failure = std::move(found).error();
    } else if (found->empty()) {
      failure = unresolved(host, "it has no address");
    } else {
      known = families_in_turn(*found);
      good_until = steady_now() + stale;
    }
    if (failure && !usable()) known.clear();
    known_at = steady_now();
    arrived.notify();
  }

  std::vector<Tcp::endpoint> in_order() {
    const Clock::Steady now = steady_now();
    std::erase_if(failures, [&](const Failure& each) { return each.until <= now; });
    const auto sound = [&](const Address& address) {
      return std::ranges::find(failures, address, &Failure::address) == failures.end();
    };
    std::vector<Tcp::endpoint> endpoints;
    for (const bool wanted : {true, false}) {
      for (const Address& address : known) {
        if (sound(address) == wanted) endpoints.emplace_back(address, port);
      }
    }
    return endpoints;
  }
};

Addresses::Addresses(asio::io_context& io, std::string host, std::uint16_t port, Lookup lookup,
                     std::chrono::milliseconds stale)
    : state_(std::make_shared<State>(io, std::move(host), port, std::move(lookup), stale)) {}

Addresses::~Addresses() {
  const std::lock_guard lock(state_->way_back->mutex);
  state_->way_back->io = nullptr;
}

Task<Addresses::Found> Addresses::find(Clock::Steady deadline) {
  const std::shared_ptr<State> state = state_;
  Found found;
  if (state->literal) {
    found.addresses.emplace_back(*state->literal, state->port);
    co_return found;
  }
  if (!state->fresh()) {
    if (!state->looking) state->look(state);
    const std::uint64_t ended = state->lookups;
    const Clock::Steady until = state->usable() ? std::min(deadline, steady_now() + kPatience) : deadline;
    while (state->looking && state->lookups == ended && found.woken == Woken::notified) {
      found.woken = co_await state->arrived.wait_until(until);
    }
    if (found.woken == Woken::late && until < deadline) found.woken = Woken::notified;
    if (found.woken != Woken::notified) co_return found;
  }
  if (state->known.empty()) {
    found.failure = state->failure.value_or(unresolved(state->host, "it has no address"));
  } else {
    found.addresses = state->in_order();
  }
  co_return found;
}

void Addresses::failed(const Tcp::endpoint& address) {
  state_->known_at = {};
  std::erase_if(state_->failures,
                [&](const State::Failure& each) { return each.address == address.address(); });
  state_->failures.push_back({address.address(), steady_now() + kRemembered});
}

}  // namespace embedrouter::net
