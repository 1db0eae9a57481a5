#include "net/request_body.h"

#include <algorithm>

namespace embedrouter::net {

RequestBody::RequestBody(const RequestHead& head)
    : left_(head.content_length.value_or(0)),
      chunked_(head.chunked),
      coding_(head.coding.value_or(ContentCoding::identity)) {
  if (coding_ != ContentCoding::identity) coding_name_ = head.headers.find("content-encoding").value_or("");
}

ChunkedDecoder::Step RequestBody::unframe(std::span<char> arrived) noexcept {
  if (chunked_) return chunks_.decode(arrived);
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, arrived.size()));
  left_ -= taken;
  return {taken, taken};
}

Result<bool> RequestBody::decode(std::string_view& piece, Buffer& out, std::size_t limit) {
  if (coding_ == ContentCoding::identity) {
    if (out.size() + piece.size() > limit) {
      return fail(ErrorCode::payload_too_large,
                  "the body has more than the " + std::to_string(limit) + " bytes that are taken");
    }
    out.append(piece);
    return false;
  }
  if (piece.empty() && !decoder_) return false;
  if (!decoder_) decoder_ = ContentDecoder::make(coding_);
  switch (decoder_->decode(piece, out, limit)) {
    case ContentDecoder::State::hungry:
      return false;
    case ContentDecoder::State::full:
      return true;
    case ContentDecoder::State::malformed:
      return fail(not_the_coding());
    case ContentDecoder::State::too_large:
      break;
  }
  return fail(ErrorCode::payload_too_large, "the body, its " + coding_name_ +
                                                " taken off, has more than the " + std::to_string(limit) +
                                                " bytes that are taken");
}

std::optional<Error> RequestBody::finish() const {
  if (!decoder_ || decoder_->may_end()) return std::nullopt;
  return not_the_coding();
}

Error RequestBody::not_the_coding() const {
  return {ErrorCode::invalid_request, "the body is not what its Content-Encoding says: no " + coding_name_ +
                                          " stream, or one that is cut off"};
}

}  // namespace embedrouter::net
