#include "fake_upstream/vectors.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace embedrouter::fake_upstream {
namespace {

static_assert(std::endian::native == std::endian::little);

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest sha256(std::string_view bytes) {
  Digest out;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data());
  return out;
}

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::vector<double> undrifted(std::string_view text, std::string_view space, std::size_t width) {
  std::string message(space);
  message += '\0';
  message += text;
  const Digest seed = sha256(message);

  std::vector<double> out;
  out.reserve(width);
  for (std::uint64_t i = 0; out.size() < width; ++i) {
    std::string counted(view(seed));
    counted.append(reinterpret_cast<const char*>(&i), sizeof i);
    const Digest block = sha256(counted);
    for (std::size_t at = 0; at < block.size() && out.size() < width; at += sizeof(std::uint32_t)) {
      std::uint32_t u = 0;
      std::memcpy(&u, block.data() + at, sizeof u);
      out.push_back((u + 0.5) / 2147483648.0 - 1.0);
    }
  }
  return out;
}

}  // namespace

std::vector<double> direction_of(std::string_view text, const Space& space, std::size_t width) {
  std::vector<double> out = undrifted(text, space.name, width);
  if (space.drift == 0) return out;
  const double share = static_cast<double>(space.drift) / 10'000.0;
  const std::vector<double> aside = undrifted(text, space.name + "~", width);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += share * aside[i];
  return out;
}

std::vector<float> normalised(const std::vector<double>& direction) {
  double sum = 0;
  for (const double x : direction) sum += x * x;
  const double norm = std::sqrt(sum);
  std::vector<float> out;
  out.reserve(direction.size());
  for (const double x : direction) out.push_back(static_cast<float>(x / norm));
  return out;
}

std::vector<float> vector_of(std::string_view text, const Space& space, std::size_t width) {
  return normalised(direction_of(text, space, width));
}

std::string sha256_hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char byte : sha256(bytes)) out += fmt::format("{:02x}", byte);
  return out;
}

std::string number_array(const std::vector<float>& values) {
  std::string out = "[";
  for (const float value : values) {
    if (out.size() > 1) out += ',';
    // Without a fraction, readers that know integers lose the sign.
    if (value == 0 && std::signbit(value)) {
      out += "-0.0";
    } else {
      fmt::format_to(std::back_inserter(out), "{}", value);
    }
  }
  return out += ']';
}

std::string base64_of(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  // EVP_EncodeBlock ends its output with a zero, which lands on the string's own.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return out;
}

std::string float32_bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace embedrouter::fake_upstream
