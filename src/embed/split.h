#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "embed/batch_limits.h"
#include "embed/embedder.h"
#include "embed/learned_limits.h"
#include "embed/places.h"

namespace embedrouter::embed {

// Sends a request in parts that keep the endpoint's limits, side by side as far as there are places, and puts
// the answers together in the caller's order; usage is summed.
//
// A request that finds no place is refused (`overloaded`), unless it has been asked somewhere before, or
// there are fewer places than declared and nobody else to ask: then it waits its turn. With one place it goes
// on to its end; it takes more while there are, up to kMostAtOnce and three quarters of them, so that others
// get in. Where there are fewer than declared it takes all, and gives up the others than its last to those
// who wait.
//
// A part that is refused for the rate of calls (429) while others of the request are under way is theirs to
// send later. Of the last one it is a failure like any other.
//
// A part that fails leaves its items to the caller of this: the reply then has the others and lists these as
// failed (a failure that would fall back) for another endpoint, or another try. What a provider refuses for
// what stands in it is searched for the item to blame (PoisonSearch): without `partial` that is the failure
// of the request, with it the item's alone.
class Split final : public Embedder {
 public:
  static constexpr std::uint32_t kMostAtOnce = 32;

  // `places`, `learned` (the endpoint's) and `clock` must outlive it. `provider`: display name, for errors.
  Split(std::unique_ptr<Embedder> inner, std::string provider, BatchLimits limits, Places& places,
        LearnedLimits& learned, const Clock& clock);

  std::string_view name() const override { return inner_->name(); }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, Call& call) override;

 private:
  class Round;
  using Items = std::vector<std::uint32_t>;

  BatchLimits limits() const { return learned_.within(limits_, clock_.now()); }
  std::size_t most_at_once() const;
  Task<Result<api::EmbedReply>> in_parts(const api::EmbedRequest& request, Call& call, Place place,
                                         std::optional<Error> refused);
  Task<Result<api::EmbedReply>> send(const api::EmbedRequest& request, Call& call);
  void recruit(const std::shared_ptr<Round>& round);
  Task<void> work(std::shared_ptr<Round> round, Place place, std::optional<Error> refused);
  Task<bool> ask(Round& round, const Items& part);
  Task<void> settle(Round& round, const Items& part, const Error& error);
  Task<void> search(Round& round, Items part, Error error);
  void learn(const Error& error, std::size_t items, std::size_t tokens);

  std::unique_ptr<Embedder> inner_;
  std::string provider_;
  BatchLimits limits_;
  Places& places_;
  LearnedLimits& learned_;
  const Clock& clock_;
};

}  // namespace embedrouter::embed
