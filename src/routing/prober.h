#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "routing/endpoint_state.h"
#include "routing/spaces.h"

namespace embedrouter::routing {

// What is kept of an endpoint's vectors, beyond the process and beyond its being configured.
struct SpaceRecord {
  std::string space, endpoint, upstream_model;
  SpaceMember member;
};

// Where records are kept. Failures are its own to report: without it the prober goes on with what it knows.
class SpaceHistory {
 public:
  virtual ~SpaceHistory() = default;
  // All there are, oldest first.
  virtual std::vector<SpaceRecord> read() = 0;
  virtual void keep(const SpaceRecord& record) = 0;
  virtual void forget(std::string_view space, std::string_view endpoint) = 0;
  // The endpoints that the operator has released since the last call, and of which nothing is kept any more.
  virtual std::vector<std::string> released() = 0;
};

struct ProberOptions {
  std::chrono::milliseconds interval{60'000};
  double threshold = 0.9995;                   // of the cosine of two endpoints of one space
  std::chrono::milliseconds deadline{10'000};  // of one measurement
};

// A measurement and what it came to.
struct SpaceEvent {
  const catalog::Endpoint* endpoint;
  Verdict from, to;
  Likeness likeness;
  std::string against;           // the id of another endpoint, or "its history", or "itself"
  const Error* error = nullptr;  // the endpoint did not answer: nothing changed
};

// Asks endpoints for the canary texts and draws the conclusions: at their first use and then once an
// interval, while requests consider them. One per process, on a thread of its own: no caller's request is
// behind a probe, but for those that wait for the very first verdict (SpaceGuard). All but when_known() on
// that thread.
class Prober {
 public:
  // An endpoint of the catalog, in the operator's order within its space, and what calls it on this thread.
  struct Member {
    const catalog::Endpoint* endpoint;
    std::unique_ptr<embed::Embedder> embedder;
    EndpointState* state;
  };
  using Listener = std::function<void(const SpaceEvent&)>;
  using Spawn = std::function<void(Task<void>)>;

  // `clock` and `history` must outlive it. `spawn` runs a coroutine on the prober's thread.
  Prober(std::vector<Member> members, SpaceHistory& history, const Clock& clock, ProberOptions options,
         Spawn spawn, Listener listener);
  ~Prober();

  // Tells all who wait that there will be no verdict, now and from now on.
  void stop();
  // Starts what is due, and returns; to be called every now and then.
  void look();

  // Whether no other endpoint's vectors, of now or of the past, are of this endpoint's space. From any
  // thread.
  bool is_alone(const catalog::Endpoint& endpoint) const;

  using Done = std::function<void(Result<void>)>;
  // Calls `done` once the endpoint has a verdict, or could not be measured. `probe` is then under way or just
  // over. On the prober's thread.
  void when_known(const catalog::Endpoint& endpoint, Done done);

 private:
  struct Space;
  struct Subject;

  void take_releases();
  void start_due(Space& space, Clock::Steady now);
  bool is_due(const Subject& subject, Clock::Steady now) const;
  Task<void> probe(Subject& subject);
  Task<Result<void>> judge(Subject& subject, SpaceEvent& event);
  Task<Result<Fingerprint>> measure(Subject& subject);
  const SpaceRecord* reference_for(const Subject& subject, SpaceRecord& scratch) const;
  void rebase(Subject& subject);
  void settle(Subject& subject, SpaceMember member);

  SpaceHistory& history_;
  const Clock& clock_;
  const ProberOptions options_;
  Spawn spawn_;
  Listener listener_;
  std::size_t running_ = 0;
  bool stopped_ = false;
  std::vector<std::unique_ptr<Space>> spaces_;
  std::unordered_map<const catalog::Endpoint*, Subject*> subjects_;
};

}  // namespace embedrouter::routing
