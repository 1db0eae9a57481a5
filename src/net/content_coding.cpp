#include "net/content_coding.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <new>
#include <span>

#include "net/field_text.h"

namespace embedrouter::net {
namespace {

constexpr int kZstdWindowLog = 23;  // 8 MiB: what RFC 8878 asks every decoder to take
constexpr std::size_t kPiece = 64 * 1024;

// Room for the next output: one byte past the limit at most, which tells that the limit is passed.
std::span<char> room_for_more(Buffer& out, std::size_t limit) {
  const std::size_t left = limit - out.size() + 1;
  const std::size_t wanted = std::min(left, kPiece);
  if (out.capacity() - out.size() < wanted) {
    out.reserve(std::min(std::max(out.size() + wanted, out.capacity() * 2), limit + 1));
  }
  return {out.data() + out.size(), wanted};
}

// The loop all decoders share: one library call after the other until the input is used up or a step is full.
class SteppingDecoder : public ContentDecoder {
 public:
  State decode(std::string_view& input, Buffer& out, std::size_t limit) final {
    const std::size_t start = out.size();
    while (out.size() - start < kFullStep) {
      const std::span<char> room = room_for_more(out, limit);
      std::size_t written = 0;
      const bool good = step(input, room, written);
      out.grow_by(written);
      if (out.size() > limit) {
        out.resize_down(limit);
        return State::too_large;
      }
      if (!good) return State::malformed;
      if (input.empty() && written < room.size()) return State::hungry;
    }
    return State::full;
  }

 protected:
  // One call of the library. False if this is not the coding.
  virtual bool step(std::string_view& input, std::span<char> room, std::size_t& written) = 0;
};

// gzip (several members may follow one another, RFC 1952) and deflate: the zlib format of RFC 9110, or the
// bare one some clients send under that name; the first byte tells.
class ZlibDecoder final : public SteppingDecoder {
 public:
  explicit ZlibDecoder(bool gzip) : gzip_(gzip) {}
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;
  ~ZlibDecoder() override {
    if (begun_) inflateEnd(&stream_);
  }
  bool may_end() const override { return between_; }

 private:
  static constexpr int kGzipBits = MAX_WBITS + 16;

  bool step(std::string_view& input, std::span<char> room, std::size_t& written) override {
    if (between_ || !begun_) {
      if (input.empty()) return true;
      if (begun_ && !gzip_) return false;  // something behind the end
      begin(input.front());
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(input.size(), 1U << 30));
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(room.size());
    const std::size_t offered = stream_.avail_in;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(offered - stream_.avail_in);
    written = room.size() - stream_.avail_out;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END) {
      between_ = true;
      return true;
    }
    return result == Z_OK || result == Z_BUF_ERROR;
  }

  // A stream, or the next one.
  void begin(char first) {
    constexpr unsigned kMethodMask = 0x0F;
    const bool zlib_header = (static_cast<unsigned char>(first) & kMethodMask) == Z_DEFLATED;
    const int bare_or_zlib = zlib_header ? MAX_WBITS : -MAX_WBITS;
    const int result =
        begun_ ? inflateReset(&stream_) : inflateInit2(&stream_, gzip_ ? kGzipBits : bare_or_zlib);
    if (result != Z_OK) throw std::bad_alloc();
    begun_ = true;
    between_ = false;
  }

  const bool gzip_;
  bool begun_ = false;
  bool between_ = false;  // a stream has ended and no other begun
  z_stream stream_{};
};

class BrotliDecoder final : public SteppingDecoder {
 public:
  BrotliDecoder() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) throw std::bad_alloc();
  }
  bool may_end() const override { return BrotliDecoderIsFinished(state_.get()) != 0; }

 private:
  struct Destroy {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };

  bool step(std::string_view& input, std::span<char> room, std::size_t& written) override {
    if (may_end()) return input.empty();
    std::size_t in_left = input.size();
    std::size_t out_left = room.size();
    const auto* in = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* out = reinterpret_cast<std::uint8_t*>(room.data());
    const auto result = BrotliDecoderDecompressStream(state_.get(), &in_left, &in, &out_left, &out, nullptr);
    input.remove_prefix(input.size() - in_left);
    written = room.size() - out_left;
    return result != BROTLI_DECODER_RESULT_ERROR;
  }

  std::unique_ptr<BrotliDecoderState, Destroy> state_;
};

class ZstdDecoder final : public SteppingDecoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  bool may_end() const override { return between_; }

 private:
  struct Destroy {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };

  bool step(std::string_view& input, std::span<char> room, std::size_t& written) override {
    if (input.empty() && between_) return true;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(stream_.get(), &out, &in);
    input.remove_prefix(in.pos);
    written = out.pos;
    if (ZSTD_isError(hint) != 0) return false;
    begun_ = begun_ || in.pos > 0;
    between_ = begun_ && hint == 0;  // a frame has ended; another may follow (RFC 8878 section 3.1)
    return true;
  }

  std::unique_ptr<ZSTD_DStream, Destroy> stream_;
  bool begun_ = false;
  bool between_ = false;
};

}  // namespace

std::optional<ContentCoding> parse_content_coding(std::string_view value) {
  using enum ContentCoding;
  struct Name {
    std::string_view text;
    ContentCoding coding;
  };
  static constexpr Name kNames[] = {{"", identity},   {"identity", identity}, {"gzip", gzip},
                                    {"x-gzip", gzip}, {"deflate", deflate},   {"br", brotli},
                                    {"zstd", zstd}};
  for (const Name& name : kNames) {
    if (same_ignoring_case(value, name.text)) return name.coding;
  }
  return std::nullopt;
}

std::unique_ptr<ContentDecoder> ContentDecoder::make(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::gzip:
      return std::make_unique<ZlibDecoder>(true);
    case ContentCoding::deflate:
      return std::make_unique<ZlibDecoder>(false);
    case ContentCoding::brotli:
      return std::make_unique<BrotliDecoder>();
    case ContentCoding::zstd:
      return std::make_unique<ZstdDecoder>();
    case ContentCoding::identity:
      break;
  }
  return nullptr;
}

}  // namespace embedrouter::net
