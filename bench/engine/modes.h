#pragma once
#include "inference/local_model.h"

namespace embedrouter::bench {

// Texts of shuffled lengths, from one word to as many as the model takes, for so long: prints the resident
// memory every minute. Returns the exit status: 0 if it is flat.
int soak(inference::LocalModel& model, double minutes);

// Prints a line of JSON when it has made its first vector. Then does what the lines of standard input ask and
// answers each with a line of JSON: bench/engine/run's side of an engine.
//   corpus    embeds it           {"seconds", "cpu", "tokens"}
//   vectors F the same, and writes the vectors to F as they are in memory
//   queries   one after the other {"p50", "p99"} in seconds
//   chain     the dense products  {"wall", "cpu", "floor"}: tokens/s of 256 rows, seconds of one query's rows
//   memory                        {"rss", "peak"} in bytes
int serve_commands(inference::LocalModel& model, std::size_t texts);

}  // namespace embedrouter::bench
