#pragma once
#include <cstdint>
#include <string>

namespace embedrouter::bench {

// The dense matrix products of an encoder and nothing else, chained as in the model: every layer has weights
// of its own, so they come from where the model's come from, and random numbers to work on. No bias, no
// activation. The yardstick of the engine.
struct ChainShape {
  std::uint32_t width = 384, inner_width = 1536, layers = 6;
  std::string precision = "fp32";  // or "bf16", or "int8": activations without sign, weights with
};

// Tokens per second of the whole, by the clock on the wall and by the processor time the threads got. On a
// machine that others use too the second is the one to compare.
struct Rate {
  double wall = 0, cpu = 0;
};

// `threads` threads that each run the chain over `rows` tokens for about `seconds`.
Rate chain_rate(const ChainShape& shape, unsigned threads, std::uint32_t rows, double seconds);

}  // namespace embedrouter::bench
