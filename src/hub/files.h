#pragma once
#include <embedrouter/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::hub {

// Of the files of a model's repository (paths with '/'), those that the embedding engine reads:
// config.json, tokenizer.json, the weights (model.safetensors, or its index and parts), and what
// sentence-transformers puts beside them (modules.json, prompts, pooling, dense layers). Sorted, each once.
// Names come from outside: a path that is not of these forms is not among them, whatever it holds. Fails,
// with what is missing, where they make no model.
Result<std::vector<std::string>> files_needed(const std::vector<std::string>& all);

}  // namespace embedrouter::hub
