#pragma once
// The vectorised middle of base64; base64.cpp does the ends and everything unusual. Each function does as
// many whole blocks as it can and says how far it came: none on a CPU without AVX2.

#include <cstddef>
#include <span>
#include <string_view>

namespace embedrouter::api {

// Characters encoded into `out`'s front; a multiple of 4. Three bytes were read for every four characters.
std::size_t encode_base64_blocks(std::span<const unsigned char> bytes, std::span<char> out) noexcept;

// Characters decoded; a multiple of 4. Three bytes were written for every four characters. Takes both
// alphabets; stops in front of a block with any other character.
std::size_t decode_base64_blocks(std::string_view text, std::span<unsigned char> out) noexcept;

// Characters at the front that are surely of the standard alphabet.
std::size_t standard_base64_prefix(std::string_view text) noexcept;

}  // namespace embedrouter::api
