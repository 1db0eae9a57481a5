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

// Blocks that end in a full flush know nothing of each other, so that one block of blanks is made once and
// repeated: half a gigabyte of them takes no time.
std::string gzip(std::string_view front, std::size_t blanks, std::string_view rest) {
  constexpr int kRawWindow = -15;
  constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kRawWindow, 9, Z_DEFAULT_STRATEGY);
  uLong sum = crc32(0, nullptr, 0);
  std::size_t size = 0;
  const auto deflated = [&stream](std::string_view bytes, int flush) {
    std::string out;
    char block[65'536];
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(block);
      stream.avail_out = sizeof block;
      deflate(&stream, flush);
      out.append(block, sizeof block - stream.avail_out);
    } while (stream.avail_out == 0);
    return out;
  };
  const auto count = [&](std::string_view bytes) {
    if (bytes.empty()) return;  // crc32 of nothing begins anew
    sum = crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    size += bytes.size();
  };

  std::string out(kHeader);
  count(front);
  out += deflated(front, Z_FULL_FLUSH);
  if (blanks > 0) {
    const std::string block(kBlock, ' ');
    const uLong sum_of_block =
        crc32(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(block.data()), kBlock);
    const std::string packed = deflated(block, Z_FULL_FLUSH);
    for (std::size_t i = 0; i < blanks / kBlock; ++i) {
      out += packed;
      sum = crc32_combine(sum, sum_of_block, kBlock);
      size += kBlock;
    }
  }
  count(rest);
  out += deflated(rest, Z_FINISH);
  deflateEnd(&stream);
  for (const std::uint64_t word : {static_cast<std::uint64_t>(sum), static_cast<std::uint64_t>(size)}) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(word >> shift & 0xFF);
  }
  return out;
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
  if (coding == "gzip") return gzip(front, blanks, rest);
  std::string out;
  feed(coding == "br" ? brotli_to(out) : zstd_to(out), front, blanks, rest);
  return out;
}

}  // namespace embedrouter::fake_upstream
