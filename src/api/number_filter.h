#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace embedrouter::api {

// A quick yes for the usual vector: number of values of `inner` (a JSON array of numbers without its
// brackets) if it is surely well-formed and no value is as large as 1e38. nullopt means "look closer", not
// "wrong": always so on a CPU without AVX2, for an empty array, a positive exponent, or an integer part of
// sixteen digits or more.
std::optional<std::size_t> quick_count(std::string_view inner) noexcept;

}  // namespace embedrouter::api
