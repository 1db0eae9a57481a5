#include "net/chunked.h"

#include <algorithm>
#include <cstring>

#include "net/field_text.h"

namespace embedrouter::net {
namespace {

constexpr std::size_t kMaxOverhead = 16 * 1024;
constexpr std::uint64_t kMaxChunk = std::uint64_t{1} << 60;
constexpr std::uint8_t kMaxDigits = 16;  // leading zeros are digits too

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) noexcept {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

}  // namespace

ChunkedDecoder::State ChunkedDecoder::state() const noexcept {
  if (at_ == At::done) return State::done;
  return at_ == At::malformed ? State::malformed : State::more;
}

// The grammar has blanks before an extension alone (RFC 9112, 7.1.1).
ChunkedDecoder::At ChunkedDecoder::after_size(char c) noexcept {
  if (c == ';') return At::extension;
  if (c == ' ' || c == '\t') return At::blanks;
  return c == '\r' && at_ == At::digits ? At::size_feed : At::malformed;
}

ChunkedDecoder::At ChunkedDecoder::next(char c) noexcept {
  switch (at_) {
    case At::first_digit:
    case At::digits: {
      const int digit = hex_digit(c);
      if (digit < 0) return at_ == At::digits ? after_size(c) : At::malformed;
      left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
      digits_ = at_ == At::first_digit ? 1 : static_cast<std::uint8_t>(digits_ + 1);
      return left_ > kMaxChunk || digits_ > kMaxDigits ? At::malformed : At::digits;
    }
    case At::blanks:
      return after_size(c);
    case At::extension:
      if (c == '\r') return At::size_feed;
      return is_control(c) ? At::malformed : At::extension;
    case At::size_feed:
      if (c != '\n') return At::malformed;
      return left_ == 0 ? At::trailer_start : At::data;
    case At::data_return:
      return c == '\r' ? At::data_feed : At::malformed;
    case At::data_feed:
      return c == '\n' ? At::first_digit : At::malformed;
    case At::trailer_start:
      if (c == '\r') return At::last_feed;
      return is_token(c) ? At::trailer_name : At::malformed;
    case At::trailer_name:
      if (c == ':') return At::trailer;
      return is_token(c) ? At::trailer_name : At::malformed;
    case At::trailer:
      if (c == '\r') return At::trailer_feed;
      return is_control(c) ? At::malformed : At::trailer;
    case At::trailer_feed:
      return c == '\n' ? At::trailer_start : At::malformed;
    case At::last_feed:
      return c == '\n' ? At::done : At::malformed;
    case At::data:
    case At::done:
    case At::malformed:
      break;
  }
  return at_;
}

ChunkedDecoder::Step ChunkedDecoder::decode(std::span<char> bytes) noexcept {
  Step step;
  while (step.consumed < bytes.size() && state() == State::more) {
    if (at_ == At::data) {
      const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - step.consumed));
      std::memmove(bytes.data() + step.payload, bytes.data() + step.consumed, run);
      step.consumed += run;
      step.payload += run;
      left_ -= run;
      if (left_ == 0) at_ = At::data_return;
      continue;
    }
    at_ = next(bytes[step.consumed++]);
    const bool dropped =
        at_ == At::blanks || at_ == At::extension || at_ == At::trailer_name || at_ == At::trailer;
    if (dropped && ++overhead_ > kMaxOverhead) at_ = At::malformed;
  }
  return step;
}

}  // namespace embedrouter::net
