#pragma once
// For dialects: texts, token ids and options as JSON.

#include <cstddef>
#include <span>
#include <string>

#include "api/embed_request.h"
#include "catalog/catalog.h"

namespace embedrouter::providers {

// A body that has room for the items and starts as `start` says.
std::string begin_body(std::string_view start, std::span<const api::Item> items);
// One item as it is, several as an array.
void append_input(std::string& body, std::span<const api::Item> items);

// The entry of `provider.options` that is this endpoint's (its whole slug before its base slug): its members,
// behind those that `body`, an open object, has already. The end of every body.
void end_body(std::string& body, const api::EmbedRequest& request, const catalog::Endpoint& endpoint);

}  // namespace embedrouter::providers
