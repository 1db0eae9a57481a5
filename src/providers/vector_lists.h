#pragma once
// For dialects that answer with vectors alone, [[…],[…]], in the order of the texts.

#include <embedrouter/result.h>

#include <vector>

#include "api/embed_reply.h"
#include "api/json_cursor.h"

namespace embedrouter::providers {

// Reads the value ahead. The vectors are views of what `json` reads.
Result<std::vector<api::Embedding>> read_vector_lists(api::JsonCursor& json);

// "the answer is not valid JSON: …", for what stopped `json`.
Error malformed_answer(const api::JsonCursor& json);

}  // namespace embedrouter::providers
