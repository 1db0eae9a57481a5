#pragma once
#include <cstdint>
#include <string>

namespace embedrouter::api {

// Units of 1e-12 USD, not negative, as a decimal JSON number: 160000 → 0.00000016.
inline void append_usd(std::string& out, std::int64_t pico) {
  constexpr std::int64_t kPerUsd = 1'000'000'000'000;
  out += std::to_string(pico / kPerUsd);
  std::string decimals = std::to_string(pico % kPerUsd);
  if (decimals == "0") return;
  decimals.insert(0, 12 - decimals.size(), '0');
  decimals.erase(decimals.find_last_not_of('0') + 1);
  out += '.' + decimals;
}

}  // namespace embedrouter::api
