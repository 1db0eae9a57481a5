#pragma once
// The router's own readers of HTTP, fed in pieces of a size.

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "http_oracle.h"
#include "net/chunked.h"
#include "net/head.h"

namespace fuzz {

using embedrouter::net::ChunkedDecoder;
using embedrouter::net::HeadScanner;
using oracle::require;

struct Scan {
  HeadScanner::State state = HeadScanner::State::incomplete;
  std::size_t length = 0;
};

inline Scan scan(std::string_view bytes, std::size_t piece) {
  HeadScanner scanner;
  Scan result;
  for (std::size_t at = std::min(piece, bytes.size()); result.state == HeadScanner::State::incomplete;
       at = std::min(at + piece, bytes.size())) {
    result.state = scanner.scan(bytes.substr(0, at));
    if (at == bytes.size()) break;
  }
  result.length = scanner.length();
  return result;
}

// The same whatever the pieces. Nothing unless a head is there whole.
inline std::string_view whole_head(std::string_view bytes, std::size_t piece) {
  const Scan pieces = scan(bytes, piece);
  const Scan whole = scan(bytes, std::max<std::size_t>(bytes.size(), 1));
  require(pieces.state == whole.state);
  if (whole.state != HeadScanner::State::complete) return {};
  require(pieces.length == whole.length && whole.length > 0 && whole.length <= bytes.size());
  return bytes.substr(0, whole.length);
}

struct Decoded {
  std::string body;
  ChunkedDecoder::State state = ChunkedDecoder::State::more;
  std::size_t consumed = 0;
};

inline Decoded decode(std::string bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  Decoded result;
  for (std::size_t at = 0; at < bytes.size() && decoder.state() == ChunkedDecoder::State::more; at += piece) {
    const std::span<char> part(bytes.data() + at, std::min(piece, bytes.size() - at));
    const auto step = decoder.decode(part);
    require(step.payload <= step.consumed && step.consumed <= part.size());
    require(step.consumed == part.size() || decoder.state() != ChunkedDecoder::State::more);
    result.body.append(part.data(), step.payload);
    result.consumed += step.consumed;
  }
  result.state = decoder.state();
  return result;
}

// Bytes of a chunked body, 0 unless it is whole and sound; the same whatever the pieces, and to another
// reader.
inline std::size_t check_chunks(std::string_view bytes, std::size_t piece) {
  const Decoded once = decode(std::string(bytes), std::max<std::size_t>(bytes.size(), 1));
  const Decoded split = decode(std::string(bytes), piece);
  require(once.state == split.state && once.body == split.body);
  if (once.state != ChunkedDecoder::State::done) return 0;
  require(once.consumed == split.consumed);
  const auto read = oracle::read_chunks(bytes);
  require(read && read->first == once.body && read->second == once.consumed);
  return once.consumed;
}

inline bool inside(std::string_view view, std::string_view whole) {
  return view.empty() ||
         (view.data() >= whole.data() && view.data() + view.size() <= whole.data() + whole.size());
}

}  // namespace fuzz
