#include "base/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace embedrouter {

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

namespace {

// Of `prefix` and the file's bytes, with an algorithm whose digest is as long as `digest`.
Result<void> digest_file(const EVP_MD* algorithm, std::string_view prefix, const std::filesystem::path& path,
                         std::span<std::uint8_t> digest) {
  const auto cannot = [&] {
    return fail(ErrorCode::internal, "cannot read " + path.string() + ": " + std::strerror(errno));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return cannot();
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), algorithm, nullptr);
  EVP_DigestUpdate(context.get(), prefix.data(), prefix.size());
  std::vector<char> chunk(1 << 20);
  std::size_t got = 0;
  while ((got = std::fread(chunk.data(), 1, chunk.size(), file.get())) > 0)
    EVP_DigestUpdate(context.get(), chunk.data(), got);
  if (std::ferror(file.get()) != 0) return cannot();
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return {};
}

}  // namespace

Result<Sha256> sha256_file(const std::filesystem::path& path) {
  Sha256 digest;
  if (auto done = digest_file(EVP_sha256(), {}, path, digest); !done) return fail(std::move(done).error());
  return digest;
}

Result<std::array<std::uint8_t, 20>> git_blob_id(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorCode::internal, "cannot read " + path.string() + ": " + error.message());
  const std::string prefix = "blob " + std::to_string(size) + '\0';
  std::array<std::uint8_t, 20> id;
  if (auto done = digest_file(EVP_sha1(), prefix, path, id); !done) return fail(std::move(done).error());
  return id;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

bool equal_constant_time(const Sha256& a, const Sha256& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace embedrouter
