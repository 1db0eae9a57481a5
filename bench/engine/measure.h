#pragma once
#include <embedrouter/result.h>

#include <chrono>
#include <string>
#include <vector>

#include "gemm_chain.h"
#include "inference/local_model.h"

namespace embedrouter::bench {

using Clock = std::chrono::steady_clock;
inline constexpr std::size_t kBatch = 32;

double since(Clock::time_point start);

// Of the values, which must not be empty.
double quantile(std::vector<double> values, double q);
inline double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

struct Pass {
  double seconds = 0, cpu_seconds = 0;  // on the wall; of all threads of this process
  std::uint64_t tokens = 0;
  std::vector<float> vectors;  // a row a text
};

// Embeds the texts in batches of kBatch, all submitted at once.
Result<Pass> embed_all(inference::LocalModel& model, const std::vector<std::string>& texts);

// Seconds of each of `count` queries, one after the other.
std::vector<double> query_times(inference::LocalModel& model, const std::string& query,
                                std::size_t count = 400);

// The dense products of the model, as wide as encoders usually are inside.
ChainShape chain_of(const inference::ModelFacts& facts);

// "VmRSS:" or "VmHWM:" of this process.
long resident_kib(const char* member);

}  // namespace embedrouter::bench
