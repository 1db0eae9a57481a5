#include "hub/digest.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/sha256.h"

namespace embedrouter::hub {
namespace {

constexpr std::size_t kSha256Digits = 64, kGitDigits = 40;

}  // namespace

std::optional<Digest> digest_of_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    etag = etag.substr(1, etag.size() - 2);
  if (etag.size() != kSha256Digits && etag.size() != kGitDigits) return std::nullopt;
  Digest digest;
  digest.kind = etag.size() == kGitDigits ? Digest::Kind::git_blob : Digest::Kind::sha256;
  std::ranges::transform(etag, std::back_inserter(digest.hex), ascii_lower);
  if (digest.hex.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  return digest;
}

Result<Digest> digest_of_file(const std::filesystem::path& file, Digest::Kind kind) {
  if (kind == Digest::Kind::git_blob)
    return git_blob_id(file).transform(
        [](const auto& id) { return Digest{Digest::Kind::git_blob, to_hex(id)}; });
  return sha256_file(file).transform(
      [](const Sha256& sum) { return Digest{Digest::Kind::sha256, to_hex(sum)}; });
}

}  // namespace embedrouter::hub
