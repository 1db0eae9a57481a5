#include "providers/keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "providers/retry_after.h"

namespace embedrouter::providers {
namespace {

using Milliseconds = std::chrono::milliseconds;

// Doubled at each time after the first, at most `longest`.
Milliseconds backed_off(Milliseconds first, std::uint32_t times, Milliseconds longest) {
  constexpr std::uint32_t kEnough = 20;
  return std::min<Milliseconds>(longest, first * (1LL << std::min(times, kEnough)));
}

// Four to six fifths of it.
Milliseconds spread(Milliseconds time, Random& random) {
  return time * 4 / 5 + Milliseconds(random.below(static_cast<std::uint64_t>(time.count()) * 2 / 5 + 1));
}

Milliseconds rounded_up(Clock::Steady::duration time) {
  return std::chrono::ceil<Milliseconds>(time);
}

}  // namespace

KeyPool::KeyPool(std::string slug, std::vector<std::string> keys, std::uint64_t seed, const Clock& clock,
                 Log& log)
    : slug_(std::move(slug)), clock_(clock), log_(log), random_(seed) {
  for (const std::string& key : keys) keys_.emplace_back().authorization = "Bearer " + key;
  if (keys_.empty()) keys_.emplace_back();
}

// One that is tried now will be known of soon.
Milliseconds KeyPool::wait_of(const Bar& bar, Time now) {
  if (now < bar.until) return rounded_up(bar.until - now);
  return now < bar.probe_until ? std::chrono::seconds(1) : Milliseconds(0);
}

const KeyPool::Bar* KeyPool::here(const Key& key, std::string_view endpoint) const {
  const auto found = key.here.find(endpoint);
  return found == key.here.end() ? nullptr : &found->second;
}

Result<KeyPool::Lease> KeyPool::take(std::string_view endpoint, const std::vector<std::size_t>& tried) {
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  const Bar* nearest = nullptr;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const std::size_t at = (next_ + i) % keys_.size();
    if (std::ranges::find(tried, at) != tried.end()) continue;
    Key& key = keys_[at];
    const auto found = key.here.find(endpoint);
    Bar* const local = found == key.here.end() ? nullptr : &found->second;
    if (usable(key.everywhere, now) && (local == nullptr || usable(*local, now))) {
      for (Bar* bar : {&key.everywhere, local})
        if (bar != nullptr && bar->parked()) bar->probe_until = now + kProbeTime;
      next_ = at + 1;
      return Lease{at, key.everywhere.generation, local == nullptr ? 0 : local->generation,
                   key.authorization};
    }
    const bool local_is_later = local != nullptr && wait_of(*local, now) > wait_of(key.everywhere, now);
    const Bar* bar = local_is_later ? local : &key.everywhere;
    if (nearest == nullptr || wait_of(*bar, now) < wait_of(*nearest, now)) nearest = bar;
  }
  if (nearest == nullptr) return fail(ErrorCode::internal, "every key was tried");
  Error known = *nearest->why;
  return fail(std::move(known).with_retry_after(std::min(wait_of(*nearest, now), kLongestWait)).as_unsent());
}

std::optional<Milliseconds> KeyPool::wait(std::string_view endpoint) const {
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  Milliseconds least = Milliseconds::max();
  for (const Key& key : keys_) {
    const Bar* local = here(key, endpoint);
    const Milliseconds wait =
        std::max(wait_of(key.everywhere, now), local == nullptr ? Milliseconds(0) : wait_of(*local, now));
    least = std::min(least, wait);
  }
  if (least.count() == 0) return std::nullopt;
  return least;
}

void KeyPool::report(std::string_view endpoint, const Lease& lease, const Error* failure) {
  const Parking parking = failure == nullptr ? Parking::none : traits(failure->code()).parking;
  const std::lock_guard lock(mutex_);
  Key& key = keys_[lease.key];
  const auto found = key.here.find(endpoint);
  Bar* const local = found == key.here.end() ? nullptr : &found->second;
  if (failure == nullptr) {
    lift(key.everywhere, lease.everywhere, lease.key, {});
    if (local != nullptr) lift(*local, lease.here, lease.key, endpoint);
    return;
  }
  end_trial(key.everywhere, lease.everywhere);
  if (local != nullptr) end_trial(*local, lease.here);
  if (parking == Parking::none || (parking != Parking::pause && key.authorization.empty())) return;
  if (parking == Parking::everywhere) return park(key.everywhere, lease.everywhere, *failure, lease.key, {});
  Bar& bar = local != nullptr ? *local : key.here.try_emplace(std::string(endpoint)).first->second;
  park(bar, lease.here, *failure, lease.key, endpoint);
}

void KeyPool::end_trial(Bar& bar, std::uint64_t generation) {
  if (bar.generation == generation) bar.probe_until = {};
}

void KeyPool::lift(Bar& bar, std::uint64_t generation, std::size_t key, std::string_view endpoint) {
  if (!bar.why) return;
  // Of a 429 between answers to calls side by side, an answer to one of them is as good as any.
  const bool pausing = !bar.parked() && clock_.now() < bar.until;
  if (bar.generation != generation && (bar.parked() || pausing)) return;
  if (bar.parked()) {
    log_.info("provider_key_back", {{"provider", slug_},
                                    {"key", key + 1},
                                    {"endpoint", endpoint},
                                    {"code", traits(bar.why->code()).name}});
  }
  bar = Bar{.until = {}, .probe_until = {}, .generation = generation + 1, .refusals = 0, .why = std::nullopt};
}

Milliseconds KeyPool::time_of(const Bar& bar, const Error& failure) {
  const auto named = failure.retry_after().value_or(Milliseconds(0));
  if (traits(failure.code()).parking == Parking::pause) {
    if (named.count() > 0) return named;
    if (bar.refusals < 2) return Milliseconds(0);
    return spread(backed_off(kFirstPause, bar.refusals - 2, kLongestPause), random_);
  }
  if (named > kFirstParking) return named;
  return spread(backed_off(kFirstParking, bar.refusals - 1, kLongestParking), random_);
}

void KeyPool::park(Bar& bar, std::uint64_t generation, const Error& failure, std::size_t key,
                   std::string_view endpoint) {
  const Time now = clock_.now();
  if (bar.generation != generation) {
    // It was under way when the bar changed. Only a longer time that the provider names is news.
    if (bar.why && bar.why->code() == failure.code() && failure.retry_after())
      bar.until = std::max(bar.until, now + *failure.retry_after());
    return;
  }
  ++bar.refusals;
  ++bar.generation;
  bar.why = failure;
  const Milliseconds time = time_of(bar, failure);
  bar.until = now + time;
  if (time.count() == 0) return;
  const LogLevel level = bar.parked() ? LogLevel::error : LogLevel::info;
  if (!log_.enabled(level)) return;
  log_.write(level, bar.parked() ? "provider_key_parked" : "provider_key_paused",
             {{"provider", slug_},
              {"key", key + 1},
              {"endpoint", endpoint},
              {"code", traits(failure.code()).name},
              {"status", failure.upstream_status()},
              {"ms", time.count()}});
}

KeyPool::Counts KeyPool::counts() const {
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  Counts counts;
  for (const Key& key : keys_) {
    if (key.authorization.empty()) continue;
    const auto some = [&](const auto& holds) {
      return std::ranges::any_of(key.here, [&](const auto& entry) { return holds(entry.second); });
    };
    if (key.everywhere.parked()) {
      ++(key.everywhere.why->code() == ErrorCode::upstream_quota ? counts.exhausted : counts.refused);
    } else if (some([](const Bar& bar) { return bar.parked(); })) {
      ++counts.forbidden;
    } else if (some([&](const Bar& bar) { return now < bar.until; })) {
      ++counts.limited;
    } else {
      ++counts.ready;
    }
  }
  return counts;
}

std::shared_ptr<KeyPool> KeyPools::make(std::string slug, std::vector<std::string> keys, const Clock& clock,
                                        Log& log) {
  auto pool = std::make_shared<KeyPool>(slug, std::move(keys), secure_seed(), clock, log);
  const std::lock_guard lock(mutex_);
  auto& pools = by_slug_[std::move(slug)];
  std::erase_if(pools, [](const std::weak_ptr<KeyPool>& old) { return old.expired(); });
  pools.push_back(pool);
  return pool;
}

void KeyPools::watch(Metrics& metrics) {
  metrics.before_render([this, &metrics] {
    const std::lock_guard lock(mutex_);
    for (const auto& [slug, pools] : by_slug_) {
      KeyPool::Counts counts;
      for (const auto& pool : pools)
        if (const auto used = pool.lock()) counts = used->counts();
      const std::array<std::pair<const char*, std::size_t>, 5> states{{{"ready", counts.ready},
                                                                       {"limited", counts.limited},
                                                                       {"forbidden", counts.forbidden},
                                                                       {"refused", counts.refused},
                                                                       {"exhausted", counts.exhausted}}};
      for (const auto& [state, count] : states) {
        metrics
            .gauge("embedrouter_provider_keys", "Keys of a provider by what it last said of them",
                   {{"provider", slug}, {"state", state}})
            .Set(static_cast<double>(count));
      }
    }
  });
}

}  // namespace embedrouter::providers
