#pragma once
// What was asked and how it ended, for tests to read: one JSON object per attempt, no input text.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fake_upstream/plan.h"

namespace embedrouter::fake_upstream {

struct Attempt {
  std::uint64_t id = 0, connection = 0, nth_on_connection = 0;
  double at = 0, ended_at = 0;  // unix seconds
  std::string state = "open";   // then answered | cut | client_left
  int status = 0;               // 0 while open and where none was sent
  std::string model;
  std::size_t items = 0;
  std::string encoding_format, input_type;
  std::size_t dimensions = 0;        // 0: absent
  std::vector<std::string> members;  // of the body
  std::vector<std::string> headers;  // names, lower case
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
    std::uint64_t nth_of_model = 0;  // earlier attempts for the model
    bool repeated = false;           // the model was asked for these texts before
  };
  Started start(Attempt attempt, const Request& request);
  void end(std::uint64_t id, std::string_view state, int status);

  std::string as_json() const;  // {"attempts":[…]} in the order they came
  void forget();

 private:
  mutable std::mutex mutex_;
  std::ofstream log_;
  std::uint64_t next_id_ = 1;
  std::deque<Attempt> kept_;
  std::map<std::string, std::uint64_t> per_model_;
  std::set<std::string> seen_;  // digests of model and texts
};

}  // namespace embedrouter::fake_upstream
