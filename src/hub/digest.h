#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace embedrouter::hub {

// What the bytes of a file must come to, as the hub tells it.
struct Digest {
  // Large files have their SHA-256; those that git keeps itself, the id of their blob.
  enum class Kind : std::uint8_t { sha256, git_blob };
  Kind kind = Kind::sha256;
  std::string hex;  // lower case
  bool operator==(const Digest&) const = default;
};

// From an entity tag: "…" or W/"…" around one of the two. nullopt: it is neither.
std::optional<Digest> digest_of_etag(std::string_view etag);

// Of the same kind as `expected`, over the file's bytes.
Result<Digest> digest_of_file(const std::filesystem::path& file, Digest::Kind kind);

}  // namespace embedrouter::hub
