// What a client makes of any bytes an upstream may send: interim heads, the head, the chunked body.
#include <cstdlib>
#include <string>

#include "net/chunked.h"
#include "net/head.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace embedrouter::net;
  if (size == 0) return 0;
  const bool to_head = (data[0] & 1) != 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t at = 0;
  ResponseFrame frame;
  for (;;) {
    const std::string_view rest = std::string_view(bytes).substr(at);
    HeadScanner scanner;
    if (scanner.scan(rest) != HeadScanner::State::complete) return 0;
    require(scanner.length() > 0 && scanner.length() <= rest.size());
    if (const auto fault = parse_response_head(rest.substr(0, scanner.length()), to_head, frame)) {
      require(fault->code() == embedrouter::ErrorCode::upstream_invalid_answer);
      return 0;
    }
    at += scanner.length();
    if (frame.status >= 200) break;
    require(!frame.has_body);
  }
  require(!(frame.chunked && frame.content_length));
  require(!to_head || !frame.has_body);
  if (frame.has_body && frame.chunked) {
    ChunkedDecoder decoder;
    const std::span<char> rest(bytes.data() + at, bytes.size() - at);
    const auto step = decoder.decode(rest);
    require(step.payload <= step.consumed && step.consumed <= rest.size());
    require(decoder.state() == ChunkedDecoder::State::done ||
            decoder.state() == ChunkedDecoder::State::malformed || step.consumed == rest.size());
  }
  return 0;
}
