#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "corpus.h"
#include "measure.h"
#include "modes.h"

namespace embedrouter::bench {
namespace {

// What malloc may keep over what it had: the batches of one pass hold less than half of it.
constexpr long kSlackKib = 8 << 10;
constexpr std::size_t kTextsAPass = 1024;
constexpr double kWarmUp = 0.25;  // of the time; every length has come by then

// Every length once for each `most`, shuffled.
std::vector<std::string> shuffled_lengths(Random& random, std::size_t most) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kTextsAPass; ++i) texts.push_back(text_of(random, 1 + i % most));
  for (std::size_t i = texts.size(); i > 1; --i) std::swap(texts[i - 1], texts[random.below(i)]);
  return texts;
}

}  // namespace

int soak(inference::LocalModel& model, double minutes) {
  Random random(2);
  const std::size_t most = model.facts().max_tokens - 2;
  const auto start = Clock::now();
  long warm = 0;
  std::uint64_t tokens = 0;
  double next = 0;
  while (since(start) < minutes * 60) {
    const auto pass = embed_all(model, shuffled_lengths(random, most));
    if (!pass) return std::fprintf(stderr, "%s\n", pass.error().message().c_str()), 1;
    tokens += pass->tokens;
    const double minute = since(start) / 60;
    const long now = resident_kib("VmRSS:");
    if (minute >= kWarmUp * minutes && warm == 0) warm = now;
    if (minute >= next) {
      std::printf("minute %.1f: %ld KiB, %llu tokens\n", minute, now,
                  static_cast<unsigned long long>(tokens));
      std::fflush(stdout);
      next += 1;
    }
  }
  const long end = resident_kib("VmRSS:");
  const bool flat = end <= warm + kSlackKib;
  std::printf("%ld KiB after a quarter of the time, %ld at the end: %s\n", warm, end,
              flat ? "flat" : "it grows");
  return flat ? 0 : 1;
}

}  // namespace embedrouter::bench
