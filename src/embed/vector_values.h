#pragma once
#include <algorithm>
#include <span>
#include <variant>

#include "api/embed_reply.h"
#include "api/vector_text.h"

namespace embedrouter::embed {

// Reads one vector as floats, whatever its form. `out` has exactly the width.
inline Result<void> read_values(const api::VectorView& vector, std::span<float> out) {
  if (const auto* floats = std::get_if<std::span<const float>>(&vector)) {
    std::ranges::copy(*floats, out.begin());
    return {};
  }
  if (const auto* encoded = std::get_if<api::Base64Text>(&vector))
    return api::decode_base64(encoded->text, out);
  if (auto parsed = api::parse_numbers(std::get<api::NumberText>(vector).json, out); !parsed)
    return fail(std::move(parsed).error());
  return {};
}

}  // namespace embedrouter::embed
