#include "embed/batch_limits.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace embedrouter::embed {
namespace {

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

// In JSON, with the comma behind it, at most.
std::size_t written_size(const api::Item& item) {
  constexpr std::size_t kAround = 3;         // quotes or brackets, comma
  constexpr std::size_t kLongestId = 11;     // ten digits and a comma
  constexpr std::size_t kLongestEscape = 5;  // \u001f in place of one byte
  if (item.is_tokens()) return kAround + item.tokens.size() * kLongestId;
  std::size_t size = kAround + item.text.size();
  for (const char c : item.text) {
    if (c == '"' || c == '\\') ++size;
    if (static_cast<unsigned char>(c) < 0x20) size += kLongestEscape;
  }
  return size;
}

}  // namespace

std::size_t most_tokens(const api::Item& item) {
  return item.is_tokens() ? item.tokens.size() : item.text.size();
}

PartRoom::PartRoom(const BatchLimits& limits)
    : items_(limits.items == 0 ? kAny : limits.items),
      tokens_(limits.tokens == 0 ? kAny : limits.tokens),
      bytes_(limits.bytes == 0 ? kAny : limits.bytes - std::min(limits.bytes, kEnvelope)),
      counts_bytes_(limits.bytes != 0) {}

bool PartRoom::add(const api::Item& item) {
  const std::size_t tokens = most_tokens(item);
  const std::size_t bytes = counts_bytes_ ? written_size(item) : 0;
  if (!std::exchange(empty_, false) && (items_ == 0 || tokens > tokens_ || bytes > bytes_)) return false;
  items_ -= 1;
  tokens_ -= std::min(tokens, tokens_);
  bytes_ -= std::min(bytes, bytes_);
  return true;
}

std::size_t part_size(std::span<const api::Item> items, const BatchLimits& limits) {
  if (limits.tokens == 0 && limits.bytes == 0)
    return limits.items == 0 ? items.size() : std::min<std::size_t>(items.size(), limits.items);
  PartRoom room(limits);
  const auto past = std::ranges::find_if_not(items, [&](const api::Item& item) { return room.add(item); });
  return static_cast<std::size_t>(past - items.begin());
}

}  // namespace embedrouter::embed
