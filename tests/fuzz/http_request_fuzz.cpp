// What a server makes of any bytes: request behind request, each head and body in whatever pieces they come,
// and each read as the oracle reads it. The first byte chooses the size of the pieces.
#include "http_messages.h"

namespace {

using namespace embedrouter::net;
using fuzz::inside;
using oracle::require;

void check_head(std::string_view bytes, const RequestFrame& frame) {
  const RequestHead& head = frame.head;
  require(inside(head.method, bytes) && inside(head.query, bytes));
  require(!head.path.empty() && (inside(head.path, bytes) || head.path == "/"));
  require(frame.http11 || !frame.expects_continue);

  const auto read = oracle::read_head(bytes);
  require(read.has_value());
  const std::string_view line = read->start_line;
  const std::size_t first = line.find(' '), second = line.rfind(' ');
  require(first != second && line.substr(0, first) == head.method);
  require(line.substr(second + 1) == (frame.http11 ? "HTTP/1.1" : "HTTP/1.0"));
  const std::string_view target = line.substr(first + 1, second - first - 1);
  require(!target.empty() && target.find_first_of(" \t") == std::string_view::npos);
  require(target.substr(0, target.find('?')).ends_with(head.path) || head.path == "/");

  const auto framing = oracle::read_framing(*read);
  require(framing.has_value() && framing->chunked == head.chunked);
  require(framing->length.has_value() == head.content_length.has_value());
  require(!framing->length ||
          std::strtoull(std::string(*framing->length).c_str(), nullptr, 10) == *head.content_length);
  const std::size_t hosts = read->values("host").size();
  require(frame.http11 ? hosts == 1 : hosts <= 1);

  const bool absolute = target.front() != '/' && target != "*";
  const auto& fields = head.headers.all();
  require(fields.size() == read->fields.size() + (absolute && hosts == 0 ? 1 : 0));
  for (std::size_t i = 0; i < read->fields.size(); ++i) {
    require(oracle::lower(fields[i].name) == read->fields[i].name && inside(fields[i].value, bytes));
    require(fields[i].value == read->fields[i].value || (absolute && read->fields[i].name == "host"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  RequestFrame frame;
  for (std::string_view bytes = input; !bytes.empty();) {
    const std::string_view head = fuzz::whole_head(bytes, piece);
    if (head.empty()) return 0;
    if (const auto fault = parse_request_head(head, frame)) {
      require(!fault->message().empty() && fault->http_status() >= 400 && fault->http_status() < 600);
      return 0;
    }
    check_head(head, frame);
    bytes.remove_prefix(head.size());
    if (frame.head.chunked) {
      const std::size_t taken = fuzz::check_chunks(bytes, piece);
      if (taken == 0) return 0;
      bytes.remove_prefix(taken);
    } else {
      const std::uint64_t length = frame.head.content_length.value_or(0);
      if (length > bytes.size()) return 0;
      bytes.remove_prefix(length);
    }
  }
  return 0;
}
