// What a client makes of any bytes an upstream may send: interim heads, the head, the chunked body; each as
// the oracle reads it. The first byte chooses the size of the pieces and whether the request was HEAD.
#include "http_messages.h"

namespace {

using namespace embedrouter::net;
using oracle::require;

void check_head(std::string_view bytes, const ResponseFrame& frame, bool to_head) {
  require(frame.status >= 100 && frame.status <= 999);
  const auto read = oracle::read_head(bytes);
  require(read && read->fields.size() == frame.headers.all().size());
  require(read->start_line.starts_with("HTTP/1."));
  require(read->start_line.substr(9, 3) == std::to_string(frame.status));
  const auto framing = oracle::read_framing(*read);
  require(framing && framing->chunked == frame.chunked);
  require(framing->length.has_value() == frame.content_length.has_value());
  for (std::size_t i = 0; i < read->fields.size(); ++i) {
    require(frame.headers.all()[i].value == read->fields[i].value);
    require(oracle::lower(frame.headers.all()[i].name) == read->fields[i].name);
  }
  const bool bodiless = to_head || frame.status < 200 || frame.status == 204 || frame.status == 304;
  require(!bodiless || !frame.has_body);
  // A body that only the end of the connection ends leaves no connection to keep.
  require(!frame.has_body || frame.chunked || frame.content_length || !frame.keep_alive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const bool to_head = (data[0] & 1) != 0;
  const std::size_t piece = std::size_t{data[0]} / 2 + 1;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string_view bytes = input;
  ResponseFrame frame;
  do {
    const std::string_view head = fuzz::whole_head(bytes, piece);
    if (head.empty()) return 0;
    if (const auto fault = parse_response_head(head, to_head, frame)) {
      require(fault->code() == embedrouter::ErrorCode::upstream_invalid_answer && !fault->message().empty());
      return 0;
    }
    check_head(head, frame, to_head);
    bytes.remove_prefix(head.size());
  } while (frame.status < 200);
  if (frame.has_body && frame.chunked) fuzz::check_chunks(bytes, piece);
  return 0;
}
