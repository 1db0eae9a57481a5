#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace embedrouter {

// xoshiro256**: for choices (balancing, jitter, ids), never for secrets. Seeded, so that tests repeat. Not
// thread-safe: one per thread.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  double uniform();                              // in [0, 1)
  std::uint64_t below(std::uint64_t n);          // in [0, n), n >= 1, without bias
  std::string alphanumeric(std::size_t length);  // letters and digits

 private:
  std::uint64_t state_[4];
};

// From the operating system, for secrets and seeds. Ends the program if there is no entropy.
void secure_random(std::span<std::uint8_t> out);
std::uint64_t secure_seed();

}  // namespace embedrouter
