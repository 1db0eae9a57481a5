#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "api/embed_request.h"

namespace embedrouter::embed {

// Most that one call to an endpoint may carry. 0: no limit.
struct BatchLimits {
  std::uint32_t items = 0;
  std::uint32_t tokens = 0;  // bounded by bytes of text: a token is at least one
  std::uint32_t bytes = 0;   // of the request's body; kEnvelope of them are left for what is not `input`
};
inline constexpr std::uint32_t kEnvelope = 1024;

// What one call may still carry. The first item always fits: there is no smaller call.
class PartRoom {
 public:
  explicit PartRoom(const BatchLimits& limits);
  // Takes the item's room, if there is that much.
  bool add(const api::Item& item);

 private:
  std::size_t items_, tokens_, bytes_;  // left
  bool counts_bytes_;
  bool empty_ = true;
};

// How many of `items`, from the first, one call may carry; at least one.
std::size_t part_size(std::span<const api::Item> items, const BatchLimits& limits);

// Tokens of an item at most.
std::size_t most_tokens(const api::Item& item);

}  // namespace embedrouter::embed
