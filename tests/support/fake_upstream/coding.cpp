#include "fake_upstream/coding.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <functional>
#include <memory>

namespace embedrouter::fake_upstream {
namespace {

constexpr std::size_t kBlock = 1 << 20;

// Takes the next bytes of the plain text, and whether they are the last.
using Sink = std::function<void(std::string_view bytes, bool last)>;

void feed(const Sink& sink, std::string_view front, std::size_t blanks, std::string_view rest) {
  sink(front, false);
  const std::string block(std::min(blanks, kBlock), ' ');
  for (std::size_t left = blanks; left > 0; left -= std::min(left, kBlock))
    sink(std::string_view(block).substr(0, std::min(left, kBlock)), false);
  sink(rest, true);
}

Sink gzip_to(std::string& out) {
  constexpr int kGzipWindow = 15 + 16;
  const std::shared_ptr<z_stream> stream(new z_stream{}, [](z_stream* z) {
    deflateEnd(z);
    delete z;
  });
  deflateInit2(stream.get(), Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 9, Z_DEFAULT_STRATEGY);
  return [stream, &out](std::string_view bytes, bool last) {
    char block[65'536];
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream->avail_in = static_cast<uInt>(bytes.size());
    do {
      stream->next_out = reinterpret_cast<Bytef*>(block);
      stream->avail_out = sizeof block;
      deflate(stream.get(), last ? Z_FINISH : Z_NO_FLUSH);
      out.append(block, sizeof block - stream->avail_out);
    } while (stream->avail_out == 0);
  };
}

Sink brotli_to(std::string& out) {
  constexpr std::uint32_t kQuality = 5;
  const std::shared_ptr<BrotliEncoderState> state(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr),
                                                  BrotliEncoderDestroyInstance);
  BrotliEncoderSetParameter(state.get(), BROTLI_PARAM_QUALITY, kQuality);
  return [state, &out](std::string_view bytes, bool last) {
    std::size_t in_size = bytes.size();
    const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto operation = last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;
    do {
      std::uint8_t block[65'536];
      std::size_t room = sizeof block;
      std::uint8_t* to = block;
      BrotliEncoderCompressStream(state.get(), operation, &in_size, &in, &room, &to, nullptr);
      out.append(reinterpret_cast<const char*>(block), sizeof block - room);
    } while (in_size > 0 || BrotliEncoderHasMoreOutput(state.get()) == BROTLI_TRUE ||
             (last && BrotliEncoderIsFinished(state.get()) == BROTLI_FALSE));
  };
}

Sink zstd_to(std::string& out) {
  const std::shared_ptr<ZSTD_CCtx> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  return [context, &out](std::string_view bytes, bool last) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      char block[65'536];
      ZSTD_outBuffer to{block, sizeof block, 0};
      left = ZSTD_compressStream2(context.get(), &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      out.append(block, to.pos);
    } while (last ? left != 0 : in.pos < in.size);
  };
}

}  // namespace

std::string compressed(std::string_view coding, std::string_view front, std::size_t blanks,
                       std::string_view rest) {
  std::string out;
  feed(coding == "br" ? brotli_to(out) : coding == "zstd" ? zstd_to(out) : gzip_to(out), front, blanks, rest);
  return out;
}

}  // namespace embedrouter::fake_upstream
