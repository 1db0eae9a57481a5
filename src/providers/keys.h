#pragma once
// The keys of one provider: which of them the next call is made with, and which are left alone for a while.

#include <embedrouter/result.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"

namespace embedrouter::providers {

// Shared by all threads and all endpoints of a provider. Thread-safe. Calls take the keys in turn. What a
// failure means for the key of its call stands in the table of base/error.cpp (Parking), and for how long
// here:
//
// - pause: as long as the provider says. Where it says nothing, not at all the first time, and then
//   kFirstPause, doubled at each refusal that follows without an answer in between, to whichever call, up to
//   kLongestPause.
// - endpoint, everywhere: the time the provider names, if that is longer than kFirstParking; else that, and
//   twice as long each time, up to kLongestParking. Then one call at a time tries the key, until one goes
//   well.
//
// Own times are spread by a fifth either way, so that keys and replicas do not come back together. What was
// under way with a key when it was parked says nothing new of it. A provider without a key is one that needs
// none: it pauses, but is not parked.
class KeyPool {
 public:
  static constexpr std::chrono::milliseconds kFirstPause{250};
  static constexpr std::chrono::seconds kLongestPause{30};
  static constexpr std::chrono::seconds kFirstParking{30};
  static constexpr std::chrono::minutes kLongestParking{30};
  static constexpr std::chrono::seconds kProbeTime{60};  // a trial without an outcome is given up

  // `slug` and a position are all a log line says of a key. `clock` and `log` must outlive it.
  KeyPool(std::string slug, std::vector<std::string> keys, std::uint64_t seed, const Clock& clock, Log& log);

  // The key for one call, and what was known of it then.
  struct Lease {
    std::size_t key = 0;
    std::uint64_t everywhere = 0, here = 0;
    std::string_view authorization;  // "Bearer …", or empty: send none. Lives as long as the pool.
  };
  // A key for a call to `endpoint` that is not among the `tried`, or, where all are parked or tried, the
  // failure of that which is back first: its code, the time until then (at most kLongestWait), unsent.
  Result<Lease> take(std::string_view endpoint, const std::vector<std::size_t>& tried);
  // How its call ended; null: well. Not called for a call that was cancelled.
  void report(std::string_view endpoint, const Lease& lease, const Error* failure);
  // How long until some key may be used at `endpoint`; nullopt: now.
  std::optional<std::chrono::milliseconds> wait(std::string_view endpoint) const;

  std::size_t size() const noexcept { return keys_.size(); }
  struct Counts {
    std::size_t ready = 0, limited = 0, forbidden = 0, refused = 0, exhausted = 0;  // limited: somewhere
  };
  Counts counts() const;

 private:
  using Time = Clock::Steady;
  // What keeps a key from being used, at an endpoint or everywhere.
  struct Bar {
    Time until{};
    Time probe_until{};            // of the call that tries the key, once `until` is over
    std::uint64_t generation = 0;  // grows with each change, so that old news is told from new
    std::uint32_t refusals = 0;    // without an answer in between
    std::optional<Error> why;      // since the last answer
    bool parked() const { return why && traits(why->code()).parking != Parking::pause; }
  };
  struct Key {
    std::string authorization;
    Bar everywhere;
    std::map<std::string, Bar, std::less<>> here;  // by endpoint, where it was refused once
  };

  static bool usable(const Bar& bar, Time now) { return now >= bar.until && now >= bar.probe_until; }
  static std::chrono::milliseconds wait_of(const Bar& bar, Time now);
  const Bar* here(const Key& key, std::string_view endpoint) const;
  void end_trial(Bar& bar, std::uint64_t generation);
  void lift(Bar& bar, std::uint64_t generation, std::size_t key, std::string_view endpoint);
  void park(Bar& bar, std::uint64_t generation, const Error& failure, std::size_t key,
            std::string_view endpoint);
  std::chrono::milliseconds time_of(const Bar& bar, const Error& failure);

  const std::string slug_;
  const Clock& clock_;
  Log& log_;
  mutable std::mutex mutex_;
  Random random_;
  std::vector<Key> keys_;
  std::size_t next_ = 0;
};

// The pools of all providers, for /metrics, which shows the newest of each that is in use. Outlives the
// configurations that make them. Thread-safe.
class KeyPools {
 public:
  // A new pool, all of its keys fresh. Those there are of that provider go on for whoever uses them.
  std::shared_ptr<KeyPool> make(std::string slug, std::vector<std::string> keys, const Clock& clock,
                                Log& log);
  // Sets embedrouter_provider_keys whenever /metrics is asked. Both outlive each other's use.
  void watch(Metrics& metrics);

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::weak_ptr<KeyPool>>> by_slug_;  // the newest last
};

}  // namespace embedrouter::providers
