#pragma once
#include <embedrouter/error.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace embedrouter::embed {

// Which items of a refused part are to blame? A provider that refuses a request for what stands in it seldom
// says where. Halves tell: of what was refused one half is asked for; if it is answered, the other half is to
// blame. With ⌈log2 n⌉ + 1 calls for n items the one to blame is found, and all others are answered if `all`
// are wanted.
//
// Nothing is blamed without a contrast: an item only if it was refused alone or what differs from an answered
// request by it alone was refused, and something else was answered. So a provider that refuses everything, or
// too much at a time, is told apart. Items are numbers the caller chose. Pure: calls are the caller's to
// make.
class PoisonSearch {
 public:
  // `refused`: the items of the request that was refused with `error`; at least two, the likeliest culprits
  // first. `all`: go on for the answers of the others; without, the search is over with the first culprit.
  PoisonSearch(std::vector<std::uint32_t> refused, Error error, bool all);

  // The items to ask for next; empty when the search is over.
  const std::vector<std::uint32_t>& next() const noexcept { return probe_; }
  // What came of it: answered, or refused for what stands in it.
  void answered();
  void refused(Error error);

  // When it is over, or broken off:
  // the culprits, each with the error it caused;
  const std::vector<std::pair<std::uint32_t, Error>>& culprits() const noexcept { return culprits_; }
  // what was neither answered nor blamed, and has not been asked for since it was last refused as a part of
  // more;
  std::vector<std::uint32_t> left() const;
  // the error of those, if they are to be refused as they are: nothing tells which of them is to blame;
  const std::optional<Error>& unexplained() const noexcept { return unexplained_; }
  // how many items at a time were answered where more were refused for being too many; 0: that was not it.
  std::size_t too_many_above() const noexcept { return too_many_above_; }

 private:
  enum class Stage : std::uint8_t { narrowing, alone, others, over };
  void narrow();
  void decide();
  void ask(Stage stage, std::vector<std::uint32_t> items);
  void accuse();
  void end();

  bool all_;
  std::vector<std::uint32_t> suspects_;  // one of these is to blame
  std::vector<std::uint32_t> others_;    // not asked for since a request with these was refused
  std::vector<std::uint32_t> probe_;
  Stage stage_ = Stage::narrowing;
  Error error_;                        // of the smallest refused request with the suspects
  std::optional<Error> others_error_;  // of others_, if refused as a whole
  std::size_t smallest_refused_;
  std::size_t largest_answered_ = 0;
  std::size_t calls_ = 0, most_calls_;
  std::size_t too_many_above_ = 0;
  std::optional<std::pair<std::uint32_t, Error>> unproved_;  // refused alone, but so was all else
  std::vector<std::pair<std::uint32_t, Error>> culprits_;
  std::optional<Error> unexplained_;
};

}  // namespace embedrouter::embed
