// What a server makes of any bytes: the head, whatever pieces it comes in, and the chunked body behind it.
// The first byte chooses the size of the pieces.
#include <cstdlib>
#include <string>

#include "net/chunked.h"
#include "net/head.h"

namespace {

using namespace embedrouter::net;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Scan {
  HeadScanner::State state = HeadScanner::State::incomplete;
  std::size_t length = 0;
};

Scan scan(std::string_view bytes, std::size_t piece) {
  HeadScanner scanner;
  Scan result;
  for (std::size_t at = piece; result.state == HeadScanner::State::incomplete; at += piece) {
    result.state = scanner.scan(bytes.substr(0, at));
    if (at >= bytes.size()) break;
  }
  result.length = scanner.length();
  return result;
}

struct Decoded {
  std::string body;
  ChunkedDecoder::State state = ChunkedDecoder::State::more;
  std::size_t consumed = 0;
};

Decoded decode(std::string bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  Decoded result;
  for (std::size_t at = 0; at < bytes.size() && decoder.state() == ChunkedDecoder::State::more; at += piece) {
    const std::span<char> part(bytes.data() + at, std::min(piece, bytes.size() - at));
    const auto step = decoder.decode(part);
    require(step.payload <= step.consumed && step.consumed <= part.size());
    result.body.append(part.data(), step.payload);
    result.consumed += step.consumed;
  }
  result.state = decoder.state();
  return result;
}

bool inside(std::string_view view, std::string_view whole) {
  return view.empty() ||
         (view.data() >= whole.data() && view.data() + view.size() <= whole.data() + whole.size()) ||
         view == "/";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Scan pieces = scan(bytes, piece);
  const Scan whole = scan(bytes, bytes.size() + 1);
  require(pieces.state == whole.state);
  if (whole.state != HeadScanner::State::complete) return 0;
  require(pieces.length == whole.length && whole.length <= bytes.size());

  const std::string_view head = std::string_view(bytes).substr(0, whole.length);
  RequestFrame frame;
  if (const auto fault = parse_request_head(head, frame)) {
    require(!fault->message().empty() && fault->http_status() >= 400 && fault->http_status() < 600);
    return 0;
  }
  require(inside(frame.head.method, head) && inside(frame.head.path, head) && inside(frame.head.query, head));
  require(!frame.head.path.empty() && !(frame.head.chunked && frame.head.content_length));
  for (const Header& field : frame.head.headers.all()) {
    require(inside(field.name, head) && inside(field.value, head));
    require(field.value.find_first_of("\r\n") == std::string_view::npos);
  }
  if (frame.head.chunked) {
    const std::string body = bytes.substr(whole.length);
    const Decoded once = decode(body, body.size() + 1);
    const Decoded split = decode(body, piece);
    require(once.state == split.state && once.body == split.body);
    require(once.state != ChunkedDecoder::State::done || once.consumed == split.consumed);
  }
  return 0;
}
