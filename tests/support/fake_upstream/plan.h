#pragma once
// What one request will be answered with: first planned rightly, then bent by a fault, then rendered in the
// format it was asked in.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {

struct Dialect;

// What is asked for, whatever the format. Token ids have become the text that vectors.h says.
struct Request {
  std::string model;
  std::vector<std::string> texts;
  bool base64 = false;
  std::optional<std::size_t> dimensions;
  std::string encoding_format, input_type;  // as sent, empty if absent
  std::vector<std::string> members;         // names of all members of the body, in the order sent
  bool may_cut = false;                     // over-long texts may be cut: asked for, or the format's default
  std::vector<std::string> codings;         // content codings the client accepts
};

// One vector of the answer.
struct Entry {
  std::string index;  // JSON; empty: the member is left out
  std::string text;   // that the vector is of
  std::vector<float> values;
  std::string embedding;  // JSON that takes the place of `values`, if not empty
};

// What happens to the bytes of the answer.
enum class Delivery : std::uint8_t {
  whole,
  silent,        // not one byte
  trickle,       // after the headers, one byte of the body a second
  stall_half,    // half of the body, then nothing
  reset_before,  // RST instead of an answer
  reset_after_headers,
  reset_mid_body,
  close_mid_body,  // FIN before Content-Length is reached
  chunked,
  chunked_unfinished,  // all data, the last chunk missing, FIN
  close_delimited,     // no Content-Length: the end of the connection ends the body
  close_after,         // whole, then FIN without having announced it
  endless_headers,     // one header line after the other
  endless_body,        // one chunk of white space after the other
};

struct Plan {
  const Dialect* dialect = nullptr;
  std::vector<Entry> data;
  bool base64 = false;
  std::string model;
  std::string tokens;               // JSON, where the format counts them; empty: left out
  std::optional<std::string> body;  // takes the place of all the above
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string before;              // bytes ahead of the status line
  std::optional<std::string> raw;  // bytes in place of the whole answer
  bool http10 = false;
  std::chrono::milliseconds delay{0};
  Delivery delivery = Delivery::whole;
};

// The right answer: vectors of `space`, of the width asked for or else `width`.
Plan right_plan(const Dialect& dialect, const Request& request, const Space& space, std::size_t width);
// The body of the answer, before delivery.
std::string render(const Plan& plan);

std::uint64_t plausible_tokens(const std::vector<std::string>& texts);
std::string json_string(std::string_view text);

}  // namespace embedrouter::fake_upstream
