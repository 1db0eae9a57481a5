#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <embedrouter/result.h>

namespace embedrouter {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
Result<Sha256> sha256_file(const std::filesystem::path& path);
// What git names a file's content by: SHA-1 over "blob <size>" and the bytes. It tells damage, not forgery.
Result<std::array<std::uint8_t, 20>> git_blob_id(const std::filesystem::path& path);

std::string to_hex(std::span<const std::uint8_t> bytes);  // lower case
// Time does not depend on where the two differ.
bool equal_constant_time(const Sha256& a, const Sha256& b) noexcept;

}  // namespace embedrouter
