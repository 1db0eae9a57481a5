#include "embed/poison_search.h"

#include <algorithm>
#include <bit>

namespace embedrouter::embed {
namespace {

// So many culprits are looked for in one part; more of them would cost more calls than they are worth.
constexpr std::size_t kMostSearches = 4;

}  // namespace

PoisonSearch::PoisonSearch(std::vector<std::uint32_t> refused, Error error, bool all)
    : all_(all),
      suspects_(std::move(refused)),
      error_(std::move(error)),
      smallest_refused_(suspects_.size()),
      most_calls_((std::bit_width(suspects_.size()) + 1) * (all ? kMostSearches : 1)) {
  narrow();
}

// Asks for the first half of the suspects. The smaller one, if they differ: the first is the likelier to
// blame.
void PoisonSearch::narrow() {
  if (suspects_.size() == 1) return decide();
  const auto half = static_cast<std::ptrdiff_t>(suspects_.size() / 2);
  ask(Stage::narrowing, {suspects_.begin(), suspects_.begin() + half});
}

// One suspect is left.
void PoisonSearch::decide() {
  const bool refused_alone = smallest_refused_ == 1;
  if (refused_alone && largest_answered_ > 0) return accuse();
  if (others_.empty() || others_error_) {
    if (refused_alone) {  // and so was everything else
      if (unproved_ || !all_ || others_.empty()) {
        unexplained_ = std::move(error_);
        return end();
      }
      unproved_.emplace(suspects_.front(), std::move(error_));
      suspects_ = std::exchange(others_, {});
      error_ = *std::exchange(others_error_, std::nullopt);
      smallest_refused_ = suspects_.size();
      return narrow();
    }
    return ask(Stage::alone, suspects_);
  }
  if (all_) return ask(Stage::others, others_);
  // Only a contrast is wanted, and one of the others is enough for that.
  ask(refused_alone ? Stage::others : Stage::alone,
      refused_alone ? std::vector{others_[others_.size() / 2]} : suspects_);
}

void PoisonSearch::ask(Stage stage, std::vector<std::uint32_t> items) {
  if (calls_ == most_calls_) {
    unexplained_ = error_;
    return end();
  }
  ++calls_;
  stage_ = stage;
  probe_ = std::move(items);
}

void PoisonSearch::answered() {
  largest_answered_ = std::max(largest_answered_, probe_.size());
  if (unproved_) culprits_.push_back(*std::exchange(unproved_, std::nullopt));
  switch (stage_) {
    case Stage::narrowing:
      suspects_.erase(suspects_.begin(), suspects_.begin() + static_cast<std::ptrdiff_t>(probe_.size()));
      return narrow();
    case Stage::alone:  // so nothing was wrong with it but the company
      too_many_above_ = std::min(largest_answered_, smallest_refused_ - 1);
      suspects_.clear();
      return end();
    case Stage::others:
      if (all_) others_.clear();
      return accuse();
    case Stage::over:
      return;
  }
}

void PoisonSearch::refused(Error error) {
  switch (stage_) {
    case Stage::narrowing: {
      // The other half may be good: it waits.
      std::vector<std::uint32_t> waiting(suspects_.begin() + static_cast<std::ptrdiff_t>(probe_.size()),
                                         suspects_.end());
      waiting.insert(waiting.end(), others_.begin(), others_.end());
      others_ = std::move(waiting);
      suspects_ = probe_;
      smallest_refused_ = suspects_.size();
      error_ = std::move(error);
      return narrow();
    }
    case Stage::alone:
      smallest_refused_ = 1;
      error_ = std::move(error);
      return decide();
    case Stage::others:
      others_error_ = std::move(error);
      return suspects_.empty() ? accuse() : decide();
    case Stage::over:
      return;
  }
}

// The suspect, if there is one; then what waited is looked after.
void PoisonSearch::accuse() {
  if (!suspects_.empty()) culprits_.emplace_back(suspects_.front(), std::move(error_));
  suspects_.clear();
  if (!all_ || others_.empty()) return end();
  if (!others_error_) return ask(Stage::others, others_);
  suspects_ = std::exchange(others_, {});
  error_ = *std::exchange(others_error_, std::nullopt);
  smallest_refused_ = suspects_.size();
  narrow();
}

std::vector<std::uint32_t> PoisonSearch::left() const {
  std::vector<std::uint32_t> items = suspects_;
  items.insert(items.end(), others_.begin(), others_.end());
  if (unproved_) items.push_back(unproved_->first);
  std::ranges::sort(items);
  return items;
}

void PoisonSearch::end() {
  stage_ = Stage::over;
  probe_.clear();
}

}  // namespace embedrouter::embed
