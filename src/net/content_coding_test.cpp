#include "net/content_coding.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <vector>

namespace embedrouter::net {
namespace {

constexpr std::size_t kPlenty = 64 << 20;

std::string zlib(const std::string& text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string gzip(const std::string& text) {
  return zlib(text, MAX_WBITS + 16);
}

std::string brotli(const std::string& text) {
  std::size_t size = BrotliEncoderMaxCompressedSize(text.size()) + 64;
  std::string out(size, '\0');
  EXPECT_EQ(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.size(),
                                  reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                                  reinterpret_cast<std::uint8_t*>(out.data())),
            BROTLI_TRUE);
  out.resize(size);
  return out;
}

std::string zstd(const std::string& text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

struct Coded {
  ContentCoding coding;
  std::string (*encode)(const std::string&);
  const char* name;
};
const std::vector<Coded> kCodings{
    {ContentCoding::gzip, gzip, "gzip"},
    {ContentCoding::deflate, [](const std::string& text) { return zlib(text, MAX_WBITS); }, "deflate"},
    {ContentCoding::deflate, [](const std::string& text) { return zlib(text, -MAX_WBITS); }, "bare deflate"},
    {ContentCoding::brotli, brotli, "br"},
    {ContentCoding::zstd, [](const std::string& text) { return zstd(text); }, "zstd"},
};

struct Outcome {
  ContentDecoder::State state = ContentDecoder::State::hungry;
  bool may_end = false;
  std::string text;
  std::size_t capacity = 0;
};

Outcome decode(ContentCoding coding, std::string_view coded, std::size_t piece, std::size_t limit = kPlenty) {
  const auto decoder = ContentDecoder::make(coding);
  Buffer out;
  Outcome outcome;
  for (std::size_t at = 0; at < coded.size(); at += piece) {
    std::string_view input = coded.substr(at, piece);
    do {
      outcome.state = decoder->decode(input, out, limit);
    } while (outcome.state == ContentDecoder::State::full);
    if (outcome.state != ContentDecoder::State::hungry) break;
    EXPECT_TRUE(input.empty());
  }
  outcome.may_end = decoder->may_end();
  outcome.text = out.view();
  outcome.capacity = out.capacity();
  return outcome;
}

std::string sentence(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * i) + " of the text\n";
  text.resize(size);
  return text;
}

TEST(ContentCoding, names_are_read_in_any_case_and_others_refused) {
  EXPECT_EQ(parse_content_coding(""), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding("Identity"), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding("GZip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("x-gzip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("deflate"), ContentCoding::deflate);
  EXPECT_EQ(parse_content_coding("br"), ContentCoding::brotli);
  EXPECT_EQ(parse_content_coding("zstd"), ContentCoding::zstd);
  for (const char* other : {"compress", "gzip, br", "gzip;q=1", "aws-chunked"})
    EXPECT_EQ(parse_content_coding(other), std::nullopt) << other;
}

TEST(ContentDecoder, gives_the_text_back_whatever_the_pieces) {
  for (const Coded& coded : kCodings) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{3'000'000}}) {
      const std::string text = sentence(size);
      const std::string bytes = coded.encode(text);
      for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}, bytes.size()}) {
        if (piece == 1 && size > 10'000) continue;
        const Outcome outcome = decode(coded.coding, bytes, piece);
        EXPECT_EQ(outcome.state, ContentDecoder::State::hungry) << coded.name;
        EXPECT_TRUE(outcome.may_end) << coded.name;
        EXPECT_EQ(outcome.text, text) << coded.name << ' ' << size << ' ' << piece;
      }
    }
  }
}

// Each piece in memory of exactly its size, so that AddressSanitizer sees a read past its end.
TEST(ContentDecoder, reads_nothing_behind_its_input) {
  const std::string text(1'000'000, ' ');
  for (const Coded& coded : kCodings) {
    const std::string bytes = coded.encode(text);
    for (std::size_t size = 1; size < 150; ++size) {
      const auto decoder = ContentDecoder::make(coded.coding);
      Buffer out;
      auto state = ContentDecoder::State::hungry;
      for (std::size_t at = 0; at < bytes.size(); at += size) {
        const std::size_t n = std::min(size, bytes.size() - at);
        const std::vector<char> piece(bytes.data() + at, bytes.data() + at + n);
        std::string_view input(piece.data(), piece.size());
        do {
          state = decoder->decode(input, out, kPlenty);
        } while (state == ContentDecoder::State::full);
        ASSERT_EQ(state, ContentDecoder::State::hungry) << coded.name;
      }
      ASSERT_TRUE(decoder->may_end() && out.view() == text) << coded.name << ' ' << size;
    }
  }
}

TEST(ContentDecoder, a_stream_cut_anywhere_may_not_end) {
  for (const Coded& coded : kCodings) {
    const std::string bytes = coded.encode(sentence(300));
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      const Outcome outcome = decode(coded.coding, std::string_view(bytes).substr(0, cut), 64);
      EXPECT_FALSE(outcome.state == ContentDecoder::State::hungry && outcome.may_end)
          << coded.name << " cut at " << cut;
    }
  }
}

TEST(ContentDecoder, what_is_not_the_coding_is_malformed) {
  for (const Coded& coded : kCodings) {
    if (coded.name == std::string("bare deflate")) continue;  // a few bytes of anything may begin one
    const Outcome outcome = decode(coded.coding, R"({"input":"plain text","model":"m"} and more of it)", 7);
    EXPECT_FALSE(outcome.state == ContentDecoder::State::hungry && outcome.may_end) << coded.name;
  }
  for (const Coded& coded : kCodings) {
    const Outcome behind = decode(coded.coding, coded.encode("text") + "more", 1000);
    EXPECT_FALSE(behind.state == ContentDecoder::State::hungry && behind.may_end)
        << coded.name << ": something behind the end";
  }
}

TEST(ContentDecoder, members_of_gzip_and_frames_of_zstd_may_follow_one_another) {
  for (const std::size_t piece : {1, 10, 1000}) {
    EXPECT_EQ(decode(ContentCoding::gzip, gzip("one ") + gzip("two ") + gzip(""), piece).text, "one two ");
    EXPECT_EQ(decode(ContentCoding::zstd, zstd("one ") + zstd("two"), piece).text, "one two");
  }
}

TEST(ContentDecoder, stops_at_the_limit_and_never_makes_room_beyond_it) {
  constexpr std::size_t kLimit = 1'000'000;
  const std::string bomb(100'000'000, ' ');
  for (const Coded& coded : kCodings) {
    const Outcome outcome = decode(coded.coding, coded.encode(bomb), 4096, kLimit);
    EXPECT_EQ(outcome.state, ContentDecoder::State::too_large) << coded.name;
    EXPECT_LE(outcome.text.size(), kLimit) << coded.name;
    EXPECT_LE(outcome.capacity, kLimit + 1) << coded.name;
    const std::string exact(kLimit, ' ');
    EXPECT_EQ(decode(coded.coding, coded.encode(exact), 4096, kLimit).text.size(), kLimit) << coded.name;
  }
}

TEST(ContentDecoder, a_step_ends_though_the_input_stands_for_more) {
  const std::string bytes = zstd(std::string(10'000'000, 'a'));
  const auto decoder = ContentDecoder::make(ContentCoding::zstd);
  std::string_view input = bytes;
  Buffer out;
  EXPECT_EQ(decoder->decode(input, out, kPlenty), ContentDecoder::State::full);
  EXPECT_LT(out.size(), 1'000'000U);
}

TEST(ContentDecoder, a_window_larger_than_is_kept_is_refused) {
  const std::string text = sentence(20'000'000);
  EXPECT_EQ(decode(ContentCoding::zstd, zstd(text, 24), 65536).state, ContentDecoder::State::malformed);
  EXPECT_EQ(decode(ContentCoding::zstd, zstd(text, 23), 65536).text, text);
}

}  // namespace
}  // namespace embedrouter::net
