#pragma once
// The formats this server speaks. A new one is a file in dialects/ and a row in dialects.cpp.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fake_upstream/plan.h"

namespace embedrouter::fake_upstream {

// What some formats have and others do not; a fault that needs one of them is of no other format.
enum Feature : std::uint8_t {
  kIndex = 1,   // every vector carries its index
  kBase64 = 2,  // vectors may be base64
  kModel = 4,   // the answer names its model
  kObject = 8,  // the answer is an object, with room for more members
  kCodes = 16,  // an error has a code of its own
};

struct Dialect {
  std::string_view name;
  std::string_view path;  // a POST on a path that ends so is in this format
  std::string_view
      base_path;          // of a base URL by which a gateway finds this format; "<model>" stands for a name
  std::uint8_t features;  // of Feature
  // Nothing if the body is no such request; `why` then says what is wrong. Where the format names no model,
  // `request.model` is left empty: the path names it.
  std::optional<Request> (*read)(const std::string& body, std::string& why);
  std::string (*render)(const Plan& plan);
  // The body of an error. `code` is JSON, for formats that have codes.
  std::string (*error)(long status, std::string_view code, std::string_view message);
  // The name of the header that counts tokens; empty: none.
  std::string_view tokens_header;
};

std::span<const Dialect* const> dialects();
// By the end of the path of a request; null if none has it.
const Dialect* dialect_of(std::string_view path);
const Dialect* find_dialect(std::string_view name);

// For dialects: [[…],[…]] of the plan's vectors.
std::string vector_lists(const Plan& plan);

}  // namespace embedrouter::fake_upstream
