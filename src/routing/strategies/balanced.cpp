// Draws by share: the inverse square of the price, times what the last minutes taught, with a least share
// for everybody (CONTRACT 6.2, docs/routing.md).

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/stable.h"
#include "routing/strategies.h"

namespace embedrouter::routing {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr double kLeastShare = 0.02;  // so that what became fast or sound again is seen to be
constexpr double kLeastSpeed = 0.1;   // no endpoint counts as more than ten times slower than the fastest
constexpr std::uint64_t kEnoughAttempts = 10;

// Answers over attempts of the last five minutes, squared: an endpoint that fails half of the time costs its
// callers a second attempt as well. 429s count half.
double soundness(const Candidate& candidate, Time now) {
  const auto counts = candidate.state->statistics.counts(now, kMeasured);
  if (counts.attempts() < kEnoughAttempts) return 1;
  const double lost = static_cast<double>(counts.failures) + static_cast<double>(counts.rate_limited) / 2;
  const double share = 1 - lost / static_cast<double>(counts.attempts());
  return std::max(share * share, 1e-6);
}

// Against the fastest of them, by the median; 1 where nothing was measured.
std::vector<double> speeds(std::span<const Candidate> candidates, Time now) {
  std::vector<double> speed(candidates.size(), 1);
  std::vector<std::optional<double>> seconds;
  double best = 0;
  for (const Candidate& c : candidates) {
    seconds.push_back(c.state->statistics.latency_seconds(now, 0.5, kMeasured));
    if (seconds.back() && (best == 0 || *seconds.back() < best)) best = *seconds.back();
  }
  for (std::size_t i = 0; i < speed.size(); ++i)
    if (seconds[i] && *seconds[i] > 0) speed[i] = std::clamp(best / *seconds[i], kLeastSpeed, 1.0);
  return speed;
}

// Shares below the least are lifted to it, at the cost of the others in proportion.
void keep_least(std::vector<double>& shares) {
  const double least = std::min(kLeastShare, 0.5 / static_cast<double>(shares.size()));
  double lifted = 0, rest = 0;
  for (const double share : shares) (share < least ? lifted : rest) += share < least ? least : share;
  if (lifted == 0) return;
  for (double& share : shares) share = share < least ? least : share * (1 - lifted) / rest;
}

// Of endpoints of one standing.
std::vector<double> shares_of(std::span<const Candidate> peers, Time now) {
  std::vector<double> shares = speeds(peers, now);
  const bool any_free =
      std::ranges::any_of(peers, [](const Candidate& c) { return c.endpoint->pico_usd_per_token == 0; });
  double sum = 0;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto price = static_cast<double>(peers[i].endpoint->pico_usd_per_token);
    // Beside a free endpoint those that cost something only keep their least share.
    const double weight = any_free ? (price == 0 ? 1 : 0) : 1 / (price * price);
    shares[i] *= weight * soundness(peers[i], now);
    sum += shares[i];
  }
  for (double& share : shares) share /= sum;
  keep_least(shares);
  return shares;
}

// How many from the first have the standing of the first. They are sorted by it.
std::size_t peers_of_first(std::span<const Candidate> candidates) {
  std::size_t count = 1;
  while (count < candidates.size() && candidates[count].standing == candidates[0].standing) ++count;
  return count;
}

// The first is drawn by share, then the next from the rest in the same way.
void draw(std::span<Candidate> peers, const Conditions& conditions) {
  std::vector<double> shares = shares_of(peers, conditions.now);
  double left = 1;
  for (std::size_t at = 0; at + 1 < peers.size(); ++at) {
    double spot = conditions.random.uniform() * left;
    std::size_t drawn = at;
    while (drawn + 1 < peers.size() && spot >= shares[drawn]) spot -= shares[drawn++];
    left -= shares[drawn];
    std::rotate(peers.begin() + static_cast<std::ptrdiff_t>(at),
                peers.begin() + static_cast<std::ptrdiff_t>(drawn),
                peers.begin() + static_cast<std::ptrdiff_t>(drawn) + 1);
    std::rotate(shares.begin() + static_cast<std::ptrdiff_t>(at),
                shares.begin() + static_cast<std::ptrdiff_t>(drawn),
                shares.begin() + static_cast<std::ptrdiff_t>(drawn) + 1);
  }
}

}  // namespace

std::vector<double> balanced_shares(std::span<const Candidate> candidates, Time now) {
  std::vector<double> shares(candidates.size(), 0);
  if (candidates.empty()) return shares;
  const Standing best = std::ranges::min(candidates, {}, &Candidate::standing).standing;
  std::vector<Candidate> peers;
  std::ranges::copy_if(candidates, std::back_inserter(peers),
                       [&](const Candidate& c) { return c.standing == best; });
  auto of_peers = shares_of(peers, now);
  auto next = of_peers.begin();
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (candidates[i].standing == best) shares[i] = *next++;
  return shares;
}

void arrange_balanced(std::span<Candidate> candidates, const Conditions& conditions) {
  stable_sort_short(candidates, &Candidate::standing);
  while (candidates.size() > 1) {
    const std::size_t peers = peers_of_first(candidates);
    if (peers > 1) draw(candidates.first(peers), conditions);
    candidates = candidates.subspan(peers);
  }
}

}  // namespace embedrouter::routing
