#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace embedrouter::net {

// Takes the chunked coding off a body, whatever the pieces it arrives in. Strict: at most 16 hexadecimal
// digits without sign or prefix, CRLF everywhere, trailers that are fields. Extensions and trailers are
// dropped and bounded. Pure.
class ChunkedDecoder {
 public:
  enum class State : std::uint8_t { more, done, malformed };

  struct Step {
    std::size_t consumed = 0;  // of the input; all of it unless done
    std::size_t payload = 0;   // bytes of the body, now at the front of the input
  };

  // Moves the payload in `bytes` to its front. After done() nothing more is consumed.
  Step decode(std::span<char> bytes) noexcept;
  State state() const noexcept;

 private:
  enum class At : std::uint8_t {
    first_digit,
    digits,
    blanks,
    extension,
    size_feed,
    data,
    data_return,
    data_feed,
    trailer_start,
    trailer_name,
    trailer,
    trailer_feed,
    last_feed,
    done,
    malformed
  };

  At after_size(char c) noexcept;
  At next(char c) noexcept;

  At at_ = At::first_digit;
  std::uint64_t left_ = 0;    // of the chunk
  std::uint8_t digits_ = 0;   // of its size
  std::size_t overhead_ = 0;  // bytes of extensions and trailers so far
};

}  // namespace embedrouter::net
