#include "net/http2_pool.h"

#include <algorithm>

#include "net/client_fault.h"

namespace embedrouter::net {

// Shared with the coroutines that open connections: they may outlive the pool.
struct Http2Pool::State final : Http2Connection::Pool {
  explicit State(std::shared_ptr<Origin> o) : origin(std::move(o)), news(origin->io.get_executor()) {}

  void changed() override {
    news.notify();
    close_excess();
  }
  // The oldest first. A closed one is taken out of the list later: it may be the caller.
  void close_excess() {
    while (idle() > origin->limits.idle_connections) {
      const auto oldest =
          std::ranges::find_if(connections, [](const auto& each) { return each->open() && each->idle(); });
      (*oldest)->close();
    }
  }
  std::size_t idle() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(connections, [](const auto& each) { return each->open() && each->idle(); }));
  }

  std::shared_ptr<Http2Connection> with_room(Clock::Steady since) {
    std::erase_if(connections, [](const auto& each) { return !each->open(); });
    for (const auto& each : connections) {
      if (each->opened_at() < since || !each->has_room()) continue;
      if (each->settled()) streams = std::max(1U, each->stream_limit());
      return each;
    }
    return nullptr;
  }
  // What is being opened, or has not said what it takes, will not do for all that wait.
  bool must_dial() const {
    const auto unsettled =
        std::ranges::count_if(connections, [](const auto& each) { return each->open() && !each->settled(); });
    return !multiplexes || news.waiting() >= (dialing + static_cast<std::size_t>(unsettled)) * (streams - 1);
  }

  std::shared_ptr<Origin> origin;
  Signal news;  // room somewhere, or the end of a dial
  std::vector<std::shared_ptr<Http2Connection>> connections;
  std::size_t dialing = 0;
  std::size_t dials = 0;         // that ended on their own
  std::optional<Error> failure;  // of the last dial, if others would meet it too
  std::uint32_t streams = 100;   // a connection will take, by the last one's word
  bool multiplexes = true;       // the last one opened does, or none was yet
};

namespace {

// A dial under way. Those that wait for it hear of its end, whatever that is.
class Dialing {
 public:
  Dialing(std::size_t& count, Signal& news) : count_(count), news_(news) { ++count_; }
  Dialing(const Dialing&) = delete;
  Dialing& operator=(const Dialing&) = delete;
  ~Dialing() {
    --count_;
    news_.notify();
  }

 private:
  std::size_t& count_;
  Signal& news_;
};

// Another request's own deadline, and its caller's leaving, say nothing about the upstream.
bool concerns_others(const Error& error, Clock::Steady total) {
  return error.code() != ErrorCode::client_closed &&
         (error.code() != ErrorCode::upstream_timeout || steady_now() < total);
}

}  // namespace

Http2Pool::Http2Pool(std::shared_ptr<Origin> origin) : state_(std::make_shared<State>(std::move(origin))) {}

Http2Pool::~Http2Pool() {
  for (const auto& connection : state_->connections) connection->close();
}

std::size_t Http2Pool::idle() const {
  return state_->idle();
}

Task<Http2Pool::Place> Http2Pool::place(Clock::Steady total, Clock::Steady since) {
  const std::shared_ptr<State> state = state_;
  Place place;
  const Clock::Steady step = steady_now() + state->origin->deadlines.connect;
  const Clock::Steady end = std::min(total, step);
  for (;;) {
    place.connection = state->with_room(since);
    if (place.connection) place.failure.reset();
    if (place.connection || place.failure) co_return place;
    if (state->must_dial()) break;
    const std::size_t ended = state->dials;
    const Woken woken = co_await state->news.wait_until(end);
    if (woken == Woken::cancelled) place.failure = caller_left();
    if (woken == Woken::late) place.failure = took_too_long("a connection to the upstream", total <= step);
    if (place.failure) co_return place;
    // Another's failure would be this one's too, unless there is room by now.
    if (state->dials != ended) place.failure = state->failure;
  }
  const Dialing counted(state->dialing, state->news);
  auto link = co_await dial<TlsStream>(state->origin, total);
  ++state->dials;
  state->failure.reset();
  if (!link) {
    if (concerns_others(link.error(), total)) state->failure = link.error();
    place.failure = std::move(link).error();
  } else if (link->http2) {
    place.connection = std::make_shared<Http2Connection>(state->origin, *std::move(link));
    place.connection->start(*state);
    state->connections.push_back(place.connection);
    state->multiplexes = true;
  } else {
    place.link = *std::move(link);
    state->multiplexes = false;
  }
  co_return place;
}

}  // namespace embedrouter::net
