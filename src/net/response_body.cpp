#include "net/response_body.h"

#include <utility>

#include "net/client_fault.h"

namespace embedrouter::net {
namespace {

Error not_the_coding() {
  return invalid_answer("the upstream's answer is not what its Content-Encoding says, or it is cut off");
}

}  // namespace

std::optional<Error> ResponseBody::expect(std::uint64_t size) {
  if (size > limit_) return too_large();
  if (plain()) bytes_->reserve(size);
  return std::nullopt;
}

Result<bool> ResponseBody::take(std::string_view& piece) {
  if (coded()) {
    auto unfinished = decode(piece);
    if (unfinished && sink_ != nullptr) {
      if (auto taken = sink_->take(bytes_->view()); !taken) return fail(std::move(taken).error());
      bytes_->clear();
    }
    return unfinished;
  }
  const std::string_view bytes = std::exchange(piece, {});
  if (sink_ != nullptr) {
    if (auto taken = sink_->take(bytes); !taken) return fail(std::move(taken).error());
    return false;
  }
  if (bytes_->size() + bytes.size() > limit_) return fail(too_large());
  bytes_->append(bytes);
  return false;
}

Result<bool> ResponseBody::decode(std::string_view& piece) {
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
