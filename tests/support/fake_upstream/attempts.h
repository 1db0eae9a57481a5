#pragma once
// What was asked and how it ended, for tests to read: one JSON object per attempt, no input text.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_upstream/faults.h"

namespace embedrouter::fake_upstream {

struct Attempt {
  std::uint64_t id = 0, connection = 0, nth_on_connection = 0;
  double at = 0, ended_at = 0;  // unix seconds
  std::string state = "open";   // then answered | cut | client_left
  int status = 0;               // 0 while open and where none was sent
  std::string dialect, model;
  std::string fault;  // what was done; "ok" where the fault did not strike
  std::size_t items = 0;
  std::string encoding_format, input_type;
  std::size_t dimensions = 0;        // 0: absent
  std::vector<std::string> members;  // of the body
  std::vector<std::string> headers;  // names, lower case
  bool in_flight = true;             // counts among those at a time
  std::string authorization_sha256;  // of the header's value; empty if absent
};

// Thread-safe. Keeps the last kKept attempts; the log file holds all that ended.
class Attempts {
 public:
  static constexpr std::size_t kKept = 100'000;

  // `log_file` empty: none.
  explicit Attempts(const std::string& log_file);

  struct Started {
    std::uint64_t id = 0;
    History history;
  };
  Started start(Attempt attempt, const Request& request);
  void struck(std::uint64_t id, std::string_view fault);
  // Its answer begins: the next request may be there before its last byte is known to have left.
  void answering(std::uint64_t id);
  void end(std::uint64_t id, std::string_view state, int status);

  // {"attempts":[…]} in the order they came; of one model, or of all if `model` is empty.
  std::string as_json(std::string_view model) const;
  void forget();

 private:
  using Clock = std::chrono::steady_clock;
  struct PerModel {
    std::uint64_t requests = 0, open = 0;
    Clock::time_point first;
    std::string first_key;
    std::deque<std::pair<Clock::time_point, std::uint64_t>> last_second;  // when, and tokens
  };

  void leave(Attempt& attempt);
  Attempt* find(std::uint64_t id);
  static History advance(PerModel& model, const std::string& key, std::uint64_t tokens);

  mutable std::mutex mutex_;
  std::ofstream log_;
  std::uint64_t next_id_ = 1;
  std::deque<Attempt> kept_;
  std::map<std::string, PerModel> models_;
  std::set<std::string> seen_;  // digests of model and texts
};

}  // namespace embedrouter::fake_upstream
