#include "corpus.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace embedrouter::bench {

std::string text_of(Random& random, std::size_t words) {
  static constexpr const char* kWords[] = {
      "the",     "of",    "river",   "house",  "and",    "music",   "in",       "market", "a",      "to",
      "teacher", "water", "is",      "window", "that",   "science", "for",      "people", "on",     "city",
      "history", "with",  "morning", "road",   "garden", "was",     "kitchen",  "paper",  "system", "light",
      "by",      "young", "small",   "bridge", "it",     "winter",  "language", "from",   "night",  "are"};
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    if (i != 0) text += ' ';
    text += kWords[random.below(std::size(kWords))];
  }
  return text;
}

// Lengths as of sentences and paragraphs: log-normal, cut at 250 words.
std::vector<std::string> make_corpus(std::size_t texts) {
  Random random(20'26);
  std::vector<std::string> made;
  while (made.size() < texts) {
    double normal = -6;
    for (int i = 0; i < 12; ++i) normal += random.uniform();
    made.push_back(
        text_of(random, static_cast<std::size_t>(std::clamp(std::exp(3.85 + 0.85 * normal), 3.0, 250.0))));
  }
  return made;
}

}  // namespace embedrouter::bench
