#pragma once
// For dialects: texts and token ids as JSON.

#include <cstddef>
#include <span>
#include <string>

#include "api/embed_request.h"

namespace embedrouter::providers {

// A body that has room for the items and starts as `start` says.
std::string begin_body(std::string_view start, std::span<const api::Item> items);
// One item as it is, several as an array.
void append_input(std::string& body, std::span<const api::Item> items);

}  // namespace embedrouter::providers
