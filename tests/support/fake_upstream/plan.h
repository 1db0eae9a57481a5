#pragma once
// What one request will be answered with: first planned rightly, then bent by a fault, then rendered.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace embedrouter::fake_upstream {

// The body of POST /embeddings. Token ids have become the text that vectors.h says.
struct Request {
  std::string model;
  std::vector<std::string> texts;
  bool base64 = false;
  std::optional<std::size_t> dimensions;
  std::string encoding_format, input_type;  // as sent, empty if absent
  std::vector<std::string> members;         // names of all members, in the order sent
};
// Nothing if the body is not such a request; `why` then says what is wrong.
std::optional<Request> read_request(const std::string& body, std::string& why);

// One entry of `data`.
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
};

struct Plan {
  std::vector<Entry> data;
  bool base64 = false;
  std::string model;
  std::string usage;                // JSON; empty: the member is left out
  std::optional<std::string> body;  // takes the place of all the above
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds delay{0};
  Delivery delivery = Delivery::whole;
};

// The right answer: vectors of `space`, of the width asked for or else `width`.
Plan right_plan(const Request& request, std::string_view space, std::size_t width);
// The body of the answer, before delivery.
std::string render(const Plan& plan);

std::string error_json(std::string_view message, std::string_view type, std::string_view code);
std::string json_string(std::string_view text);

}  // namespace embedrouter::fake_upstream
