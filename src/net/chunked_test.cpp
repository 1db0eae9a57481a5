#include "net/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace embedrouter::net {
namespace {

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  ChunkedDecoder::State state = ChunkedDecoder::State::more;
};

Decoded decode(const std::string& bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  Decoded result;
  for (std::size_t at = 0; at < bytes.size() && decoder.state() == ChunkedDecoder::State::more; at += piece) {
    std::string part = bytes.substr(at, piece);
    const auto step = decoder.decode(part);
    result.body.append(part, 0, step.payload);
    result.consumed += step.consumed;
  }
  result.state = decoder.state();
  return result;
}

TEST(ChunkedDecoder, takes_the_coding_off_whatever_the_pieces) {
  const std::string coded =
      "5\r\nhello\r\n00001 ; a=\"b\"\r\n \r\nA;x\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece <= coded.size(); ++piece) {
    const Decoded result = decode(coded, piece);
    EXPECT_EQ(result.state, ChunkedDecoder::State::done);
    EXPECT_EQ(result.body, "hello 0123456789");
    EXPECT_EQ(result.consumed, coded.size() - 4);
  }
}

TEST(ChunkedDecoder, wants_more_until_the_last_byte) {
  const std::string coded = "3\r\nabc\r\n0\r\nT: t\r\n\r\n";
  for (std::size_t cut = 0; cut < coded.size(); ++cut) {
    EXPECT_EQ(decode(coded.substr(0, cut), coded.size()).state, ChunkedDecoder::State::more) << cut;
  }
}

TEST(ChunkedDecoder, refuses_what_others_might_read_differently) {
  for (const char* coded : {"\r\n",
                            "g\r\n",
                            "-1\r\n",
                            "+1\r\n",
                            "0x1\r\na",
                            " 1\r\na",
                            "1\na",
                            "1\r\nab\r\n",
                            "1\r\na\n0",
                            "1\r\na\rX",
                            "1 2\r\n",
                            "1 \r\na",
                            "1;a\nb\r\n",
                            "11111111111111111\r\n",
                            "0\r\n\n",
                            "0\r\nA: b\n\r\n",
                            "0\r\n\rX",
                            ";\r\n",
                            "00000000000000001\r\na",
                            "0\r\nGET / HTTP/1.1\r\n",
                            "0\r\n: b\r\n",
                            "0\r\nA : b\r\n",
                            "0\r\nA: b\r\n c\r\n"}) {
    EXPECT_EQ(decode(coded, 100).state, ChunkedDecoder::State::malformed) << coded;
  }
}

TEST(ChunkedDecoder, takes_sizes_of_a_fixed_width) {
  const Decoded result = decode("00000005\r\nhello\r\n0000000000000000\r\n\r\n", 100);
  EXPECT_EQ(result.state, ChunkedDecoder::State::done);
  EXPECT_EQ(result.body, "hello");
}

TEST(ChunkedDecoder, bounds_extensions_and_trailers) {
  EXPECT_EQ(decode("1;" + std::string(20'000, 'x'), 1000).state, ChunkedDecoder::State::malformed);
  EXPECT_EQ(decode(std::string(17, '0'), 1).state, ChunkedDecoder::State::malformed);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 3'000; ++i) trailers += "A: b123\r\n";
  EXPECT_EQ(decode(trailers, 1000).state, ChunkedDecoder::State::malformed);
}

}  // namespace
}  // namespace embedrouter::net
