#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace embedrouter::api {

// What GET /key tells of the caller's key (CONTRACT 11). Costs in 1e-12 USD.
struct KeyInfo {
  std::string_view label;
  bool management = false;
  std::int64_t usage = 0, usage_daily = 0, usage_weekly = 0, usage_monthly = 0;
};
// {"data":{…}} with the members of every generation of the clients.
std::string encode_key_info(const KeyInfo& key);

}  // namespace embedrouter::api
