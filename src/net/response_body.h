#pragma once
#include <embedrouter/result.h>

#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "base/buffer.h"
#include "net/client.h"
#include "net/content_coding.h"

namespace embedrouter::net {

// The body of an answer as it arrives: its content coding is taken off, and what it stands for is bounded.
class ResponseBody {
 public:
  // `sink`: where it goes, unbounded; null: into memory.
  ResponseBody(ContentCoding coding, std::size_t limit, BodySink* sink)
      : coding_(coding),
        limit_(sink == nullptr ? limit : std::numeric_limits<std::size_t>::max() / 2),
        sink_(sink),
        bytes_(std::make_shared<Buffer>()) {}

  bool coded() const noexcept { return coding_ != ContentCoding::identity; }
  // A length that is known before the body is: too much for it, or room made.
  std::optional<Error> expect(std::uint64_t size);
  // Takes bytes from the front of `piece`. True: a step's work is done and more is left in `piece`; let
  // others have the thread before the next call.
  Result<bool> take(std::string_view& piece);
  // After the last byte.
  std::optional<Error> finish() const;

  // Bytes may be read straight into buffer().
  bool plain() const noexcept { return !coded() && sink_ == nullptr; }
  Buffer& buffer() noexcept { return *bytes_; }
  std::shared_ptr<const Buffer> bytes() const noexcept { return bytes_; }

 private:
  Error too_large() const;
  Result<bool> decode(std::string_view& piece);

  ContentCoding coding_;
  std::size_t limit_;
  BodySink* sink_;
  std::unique_ptr<ContentDecoder> decoder_;  // made when a coded body begins
  std::shared_ptr<Buffer> bytes_;
};

}  // namespace embedrouter::net
