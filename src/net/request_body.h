#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "net/chunked.h"
#include "net/content_coding.h"
#include "net/message.h"

namespace embedrouter::net {

// The body of one request as it arrives: its framing, and then its content coding, are taken off piece by
// piece. Pure: no sockets, no time.
class RequestBody {
 public:
  RequestBody() = default;  // of a request that has none
  explicit RequestBody(const RequestHead& head);

  // Bytes of it are still to come.
  bool pending() const noexcept {
    return left_ > 0 || (chunked_ && chunks_.state() == ChunkedDecoder::State::more);
  }
  // Its framing is broken: where the next request would begin is not known.
  bool malformed() const noexcept { return chunks_.state() == ChunkedDecoder::State::malformed; }
  // Of a body whose length was told, what is to come.
  std::uint64_t left() const noexcept { return left_; }
  // Its length is not known before its end, or not what will be made of it.
  bool open_ended() const noexcept { return chunked_ || coding_ != ContentCoding::identity; }

  // Takes the framing off what has arrived; the payload is then in front.
  ChunkedDecoder::Step unframe(std::span<char> arrived) noexcept;
  // `n` bytes of a told length went another way.
  void skip(std::size_t n) noexcept { left_ -= n; }

  // Takes the coding off the front of `piece` and appends it to `out`, which never grows past `limit` bytes.
  // True: call again with what is left of the piece; the work is done in steps, so that the thread's other
  // connections have their turn. payload_too_large, invalid_request.
  Result<bool> decode(std::string_view& piece, Buffer& out, std::size_t limit);
  // At the end: the failure if the coding's stream is cut off.
  std::optional<Error> finish() const;

 private:
  Error not_the_coding() const;

  std::uint64_t left_ = 0;
  bool chunked_ = false;
  ChunkedDecoder chunks_;
  ContentCoding coding_ = ContentCoding::identity;
  std::string coding_name_;                  // as the sender wrote it
  std::unique_ptr<ContentDecoder> decoder_;  // made when the first byte is decoded
};

}  // namespace embedrouter::net
