#pragma once
#include <string>
#include <vector>

#include "base/random.h"

namespace embedrouter::bench {

// `words` English words, each a token of the usual vocabularies.
std::string text_of(Random& random, std::size_t words);

inline constexpr std::size_t kTexts = 2000;

// English-like texts of one line each, 69 tokens in the mean, the same ones at every call.
std::vector<std::string> make_corpus(std::size_t texts = kTexts);

}  // namespace embedrouter::bench
