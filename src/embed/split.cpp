#include "embed/split.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <numeric>
#include <utility>

#include "embed/assembly.h"
#include "embed/crew.h"
#include "embed/poison_search.h"

namespace embedrouter::embed {
namespace {

using api::EmbedReply;
using api::EmbedRequest;

bool is_final(const Error& error) {
  return !traits(error.code()).fall_back;
}

// A provider's word that something in the request is wrong, but not where.
bool blames_input(const Error& error) {
  constexpr int kBadRequest = 400;
  return is_final(error) && !error.item() && error.upstream_status() != 0 &&
         error.http_status() == kBadRequest;
}

std::vector<std::uint32_t> without(std::vector<std::uint32_t> items, std::uint32_t item) {
  std::erase(items, item);
  return items;
}

}  // namespace

// One request on its way through the endpoint. Shared by the coroutines that send its parts.
class Split::Round {
 public:
  Round(const EmbedRequest& whole, Call& call_of, const Executor& executor)
      : request(whole),
        call(call_of),
        crew(std::make_shared<Crew>(executor)),
        assembly_(whole.items.size()),
        waiting_(whole.items.size()) {
    std::iota(waiting_.begin(), waiting_.end(), 0U);
  }

  const EmbedRequest& request;
  Call& call;
  const std::shared_ptr<Crew> crew;
  int hands = 0;  // at work: each either comes back for the next part or was the last

  bool more() const { return !stopped_ && !crew->cancelled() && !waiting_.empty(); }
  // The next part within the limits; empty: there is nothing more to do.
  Items next(const BatchLimits& limits) {
    Items part;
    PartRoom room(limits);
    while (more() && room.add(request.items[waiting_.front()])) {
      part.push_back(waiting_.front());
      waiting_.pop_front();
    }
    return part;
  }
  // To be sent again, in other company.
  void put_back(const Items& items) { waiting_.insert(waiting_.begin(), items.begin(), items.end()); }

  Result<void> answer(const Items& items, EmbedReply part) {
    auto added = assembly_.add(items, std::move(part));
    if (added) {
      failures_in_a_row_ = 0;
    } else {
      fail(items, added.error());
    }
    return added;
  }

  // What may succeed elsewhere, or later. One failure among many answers is no reason to stop.
  void fail(const Items& items, const Error& error) {
    constexpr int kMostInARow = 2;
    assembly_.fail(items, error);
    last_ = error;
    if (!traits(error.code()).retry || ++failures_in_a_row_ >= kMostInARow) stopped_ = true;
  }
  // What will not.
  void refuse(const Items& items, const Error& error) {
    assembly_.fail(items, error);
    if (!request.partial) stopped_ = true;
  }
  // One item that was refused alone. It is to blame if others were not.
  void refuse_alone(std::uint32_t item, const Error& error) {
    refuse({item}, error);
    alone_.emplace_back(item, error);
  }
  // True if what becomes of `items` does not matter any more: an item before them is the request's failure.
  bool settled_before(const Items& items) const {
    const Error* refusal = request.partial ? nullptr : assembly_.refusal();
    return refusal != nullptr && refusal->item() &&
           std::ranges::all_of(items, [&](std::uint32_t item) { return item > *refusal->item(); });
  }

  Result<EmbedReply> outcome() {
    if (!waiting_.empty()) {
      assembly_.fail(
          Items(waiting_.begin(), waiting_.end()),
          last_.value_or(Error(ErrorCode::upstream_timeout,
                               "the time of the request was over before all its parts were sent")));
    }
    if (assembly_.answered() > 0) {
      for (const auto& [item, error] : alone_) assembly_.fail(Items(1, item), blaming(error, item));
    }
    const Error* refusal = assembly_.refusal();
    if (refusal != nullptr && !request.partial) return embedrouter::fail(*refusal);
    const Error* failure = assembly_.last_failure();
    if (assembly_.answered() == 0 && (refusal == nullptr || failure == nullptr))
      return embedrouter::fail(refusal != nullptr ? *refusal : *failure);
    return assembly_.take();
  }

 private:
  Assembly assembly_;
  std::deque<std::uint32_t> waiting_;
  std::optional<Error> last_;
  std::vector<std::pair<std::uint32_t, Error>> alone_;
  int failures_in_a_row_ = 0;
  bool stopped_ = false;
};

Split::Split(std::unique_ptr<Embedder> inner, std::string provider, BatchLimits limits, Places& places,
             LearnedLimits& learned, const Clock& clock)
    : inner_(std::move(inner)),
      provider_(std::move(provider)),
      limits_(limits),
      places_(places),
      learned_(learned),
      clock_(clock) {}

std::size_t Split::most_at_once() const {
  const std::uint32_t limit = places_.limit();
  return std::clamp<std::uint32_t>(places_.lowered() ? limit : limit - limit / 4, 1, kMostAtOnce);
}

// Every call with a place ends here, so that the places are told of it.
Task<Result<EmbedReply>> Split::send(const EmbedRequest& request, Call& call) {
  const auto began = clock_.now();
  auto reply = co_await inner_->embed(request, call);
  places_.report(reply ? nullptr : &reply.error(), began, clock_.now());
  co_return reply;
}

Task<Result<EmbedReply>> Split::embed(const EmbedRequest& request, Call& call) {
  auto place = places_.take();
  const bool patient = !call.attempts.empty() || (call.last_endpoint && places_.lowered());
  if (!place && patient) place = co_await places_.wait(call.deadline);
  if (!place) {
    Error full(ErrorCode::overloaded, "too many requests to " + provider_ + " are under way");
    co_return fail(std::move(full).with_provider(provider_).with_retry_after(std::chrono::seconds(1)));
  }
  std::optional<Error> refused;
  if (part_size(request.items, limits()) == request.items.size()) {
    auto reply = co_await send(request, call);
    if (reply || request.items.size() == 1) co_return reply;
    const bool one_of_many = request.partial && reply.error().item() && is_final(reply.error());
    if (!blames_input(reply.error()) && !one_of_many) co_return reply;
    refused = std::move(reply).error();
  }
  auto reply = co_await in_parts(request, call, *std::move(place), std::move(refused));
  co_return reply;
}

// `refused`: what the endpoint said to the request as a whole, if it was asked.
Task<Result<EmbedReply>> Split::in_parts(const EmbedRequest& request, Call& call, Place place,
                                         std::optional<Error> refused) {
  const auto executor = co_await asio::this_coro::executor;
  const auto round = std::make_shared<Round>(request, call, executor);
  round->crew->add(work(round, std::move(place), std::move(refused)));
  recruit(round);
  co_await round->crew->wait();
  co_return round->outcome();
}

// More hands, as long as there is work and room.
void Split::recruit(const std::shared_ptr<Round>& round) {
  while (round->more() && round->crew->size() < most_at_once()) {
    auto place = places_.take();
    if (!place) return;
    round->crew->add(work(round, *std::move(place), std::nullopt));
  }
}

Task<void> Split::work(std::shared_ptr<Round> round, Place, std::optional<Error> refused) {
  struct Hand {
    explicit Hand(int& of) : hands(of) { ++hands; }
    Hand(const Hand&) = delete;
    Hand& operator=(const Hand&) = delete;
    ~Hand() { --hands; }
    int& hands;
  };
  const Hand hand(round->hands);
  if (refused) {
    const Items all = round->next({});
    co_await settle(*round, all, *refused);
  }
  while (clock_.now() < round->call.deadline) {
    const Items part = round->next(limits());
    if (part.empty()) break;
    const bool taken = co_await ask(*round, part);
    if (!taken) break;
    if (round->hands > 1 && places_.lowered() && places_.waited_for()) break;
    recruit(round);
  }
}

// False if the endpoint wants fewer calls at a time: the part is for those that go on.
Task<bool> Split::ask(Round& round, const Items& part) {
  const Part sent(round.request, part);
  auto reply = co_await send(sent.request(), round.call);
  if (reply) {
    static_cast<void>(round.answer(part, *std::move(reply)));  // what cannot be added is noted as failed
    co_return true;
  }
  if (reply.error().code() == ErrorCode::upstream_rate_limited && round.hands > 1) {
    round.put_back(part);
    co_return false;
  }
  const Error error = renamed(std::move(reply).error(), part);
  co_await settle(round, part, error);
  co_return true;
}

// `part` failed with `error`, which names its item, if it does, by its number in the request.
Task<void> Split::settle(Round& round, const Items& part, const Error& error) {
  if (!is_final(error)) {
    round.fail(part, error);
  } else if (error.item()) {
    round.refuse({*error.item()}, error);
    round.put_back(without(part, *error.item()));
  } else if (!blames_input(error)) {
    round.refuse(part, error);
  } else if (part.size() == 1) {
    round.refuse_alone(part.front(), error);
  } else {
    co_await search(round, part, error);
  }
}

Task<void> Split::search(Round& round, Items part, Error error) {
  const auto tokens_of = [&](const Items& items) {
    std::size_t tokens = 0;
    for (const std::uint32_t item : items) tokens += most_tokens(round.request.items[item]);
    return tokens;
  };
  // If any text is too long, the longest is. Without `partial` the first one is to be named, whatever its
  // length.
  if (round.request.partial && error.code() == ErrorCode::context_length_exceeded) {
    std::ranges::sort(part, std::ranges::greater(), [&](std::uint32_t item) {
      return std::pair(most_tokens(round.request.items[item]), part.size() - item);
    });
  }
  const std::size_t refused_tokens = tokens_of(part);
  std::size_t answered_tokens = 0;
  PoisonSearch search(part, error, round.request.partial);
  std::optional<Error> broken;
  while (!search.next().empty() && !broken && !round.settled_before(part)) {
    const Items probe = search.next();
    const Part sent(round.request, probe);
    auto reply = co_await send(sent.request(), round.call);
    if (!reply && blames_input(reply.error())) {
      search.refused(std::move(reply).error());
    } else if (!reply) {
      broken = renamed(std::move(reply).error(), probe);
    } else if (auto added = round.answer(probe, *std::move(reply)); !added) {
      broken = std::move(added).error();
    } else {
      search.answered();
      answered_tokens = std::max(answered_tokens, tokens_of(probe));
    }
  }
  for (const auto& [item, blame] : search.culprits()) round.refuse({item}, blaming(blame, item));
  const Items left = search.left();
  if (search.too_many_above() != 0) {
    learn(error, search.too_many_above(), std::min(answered_tokens, refused_tokens - 1));
    round.put_back(left);
  } else if (search.unexplained()) {
    round.refuse(left, *search.unexplained());
  } else if (broken) {
    co_await settle(round, left, *broken);
  }
}

// More than so many were refused, though nothing was wrong with any of them.
void Split::learn(const Error& error, std::size_t items, std::size_t tokens) {
  constexpr int kTooLarge = 413;
  const auto now = clock_.now();
  if (error.upstream_status() == kTooLarge || error.code() == ErrorCode::context_length_exceeded) {
    learned_.lower_tokens(static_cast<std::uint32_t>(std::max<std::size_t>(tokens, 1)), now);
  } else {
    learned_.lower_items(static_cast<std::uint32_t>(std::max<std::size_t>(items, 1)), now);
  }
}

}  // namespace embedrouter::embed
