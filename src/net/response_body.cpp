#include "net/response_body.h"

#include "net/client_fault.h"

namespace embedrouter::net {
namespace {

Error not_the_coding() {
  return invalid_answer("the upstream's answer is not what its Content-Encoding says, or it is cut off");
}

}  // namespace

std::optional<Error> ResponseBody::expect(std::uint64_t size) {
  if (size > limit_) return too_large();
  if (!coded()) bytes_->reserve(size);
  return std::nullopt;
}

Result<bool> ResponseBody::take(std::string_view& piece) {
  if (!coded()) {
    if (bytes_->size() + piece.size() > limit_) return fail(too_large());
    bytes_->append(piece);
    piece = {};
    return false;
  }
  if (piece.empty() && !decoder_) return false;
  if (!decoder_) decoder_ = ContentDecoder::make(coding_);
  switch (decoder_->decode(piece, *bytes_, limit_)) {
    case ContentDecoder::State::hungry:
      return false;
    case ContentDecoder::State::full:
      return true;
    case ContentDecoder::State::malformed:
      return fail(not_the_coding());
    case ContentDecoder::State::too_large:
      break;
  }
  return fail(too_large());
}

std::optional<Error> ResponseBody::finish() const {
  if (!decoder_ || decoder_->may_end()) return std::nullopt;
  return not_the_coding();
}

Error ResponseBody::too_large() const {
  return invalid_answer("the upstream's answer is too large",
                        "more than " + std::to_string(limit_) + " bytes" + (coded() ? ", decompressed" : ""));
}

}  // namespace embedrouter::net
