#pragma once
#include <embedrouter/result.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "inference/dense.h"
#include "inference/local_model.h"
#include "inference/model_config.h"

namespace embedrouter::inference {

// Of a worker's batch: its activations stay in the second-level cache. A longer text is a batch of its own.
inline constexpr std::size_t kChunkTokens = 256;

// Fails where the CPU does not have what is asked for.
Result<Numbers> choose_numbers(Precision precision);

// What a model says of itself, all but `kernels`. `digest`: of its weights.
Result<ModelFacts> describe(const ModelOptions& options, const ModelConfig& config, Numbers numbers,
                            const std::string& digest);

}  // namespace embedrouter::inference
