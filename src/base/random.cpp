#include "base/random.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace embedrouter {
namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) word = split_mix(seed);
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t Random::below(std::uint64_t n) {
  const std::uint64_t limit = -n % n;  // 2^64 mod n: values below it would favour the first results
  for (;;) {
    const std::uint64_t value = next();
    if (value >= limit) return value % n;
  }
}

std::string Random::alphanumeric(std::size_t length) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text(length, '\0');
  for (char& c : text) c = kAlphabet[below(sizeof kAlphabet - 1)];
  return text;
}

void secure_random(std::span<std::uint8_t> out) {
  constexpr std::size_t kAtOnce = 256;  // getentropy gives no more
  while (!out.empty()) {
    const auto some = out.first(std::min(out.size(), kAtOnce));
    if (getentropy(some.data(), some.size()) != 0) {
      std::fputs("embedrouter: the system has no entropy to make secrets from\n", stderr);
      std::abort();
    }
    out = out.subspan(some.size());
  }
}

std::uint64_t secure_seed() {
  std::uint64_t seed = 0;
  secure_random({reinterpret_cast<std::uint8_t*>(&seed), sizeof seed});
  return seed;
}

}  // namespace embedrouter
