#pragma once
// What this server does is changed while it runs: requests for one model are answered as if for another.
//
//   PUT /behaviour {"for":"ok@a","be":"pct-10-nan"}    "for":"*" is for all models without an entry
//   PUT /behaviour {"for":"ok@a","be":null}            as its own name says again

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "fake_upstream/faults.h"

namespace embedrouter::fake_upstream {

// Thread-safe.
class Behaviour {
 public:
  // Empty if `body` was such a change; else what is wrong with it.
  std::string change(const std::string& body);
  void forget();
  std::string as_json() const;

  // What to do for `model`. What an entry does not say (space, drift, width) stays that of the model's own
  // name.
  std::optional<Choice> choose_for(std::string_view model) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> instead_;
};

}  // namespace embedrouter::fake_upstream
