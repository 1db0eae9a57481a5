#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/buffer.h"

namespace embedrouter::net {

// The content codings of RFC 9110 section 8.4 that are taken off a body here.
enum class ContentCoding : std::uint8_t { identity, gzip, deflate, brotli, zstd };

// What is offered where a coding is refused, as the value of Accept-Encoding.
inline constexpr std::string_view kContentCodings = "gzip, deflate, br, zstd";

// The value of a Content-Encoding field; empty means identity. nullopt: unknown, or several codings.
std::optional<ContentCoding> parse_content_coding(std::string_view value);

// Takes a coding off a body, whatever the pieces it arrives in. What it needs beside the output is bounded: a
// window of at most 8 MiB (zstd), 16 MiB (brotli), 32 KiB (gzip, deflate), however large the stream asks for.
class ContentDecoder {
 public:
  // hungry: all of the input is taken and all that can be said of it is in `out`. full: a step's output is
  // made; call again with what is left of the input.
  enum class State : std::uint8_t { hungry, full, malformed, too_large };
  // A step ends with about this much output, so that a small input does not hold a thread for long.
  static constexpr std::size_t kFullStep = 256 * 1024;

  // `coding` is not identity.
  static std::unique_ptr<ContentDecoder> make(ContentCoding coding);
  virtual ~ContentDecoder() = default;

  // Takes bytes from the front of `input` and appends what they stand for to `out`, which never grows past
  // `limit` bytes. After a failure the decoder is good for nothing. May throw bad_alloc.
  virtual State decode(std::string_view& input, Buffer& out, std::size_t limit) = 0;
  // False while the stream is in the middle of something: its end here is a truncation.
  virtual bool may_end() const = 0;
};

}  // namespace embedrouter::net
