#include "fake_upstream/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_upstream/faults.h"
#include "fake_upstream/stream.h"
#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxHead = 256 * 1024;
constexpr std::size_t kMaxBody = 256 << 20;
constexpr seconds kSilence{120};
constexpr std::size_t kChunk = 7;

struct HttpRequest {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

// Reads requests off a stream. What was read too far stays for the next one.
class Reader {
 public:
  explicit Reader(Stream& stream) : stream_(stream) {}

  // Nothing at the end of the stream, and for what is not HTTP.
  std::optional<HttpRequest> next() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (buffer_.size() > kMaxHead || !more()) return std::nullopt;
    }
    HttpRequest request;
    if (!parse_head(std::string_view(buffer_).substr(0, end + 2), request)) return std::nullopt;
    buffer_.erase(0, end + 4);
    if (request.header("expect") == "100-continue") stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
    if (request.header("transfer-encoding") == "chunked") {
      if (!read_chunks(request.body)) return std::nullopt;
    } else if (const std::string_view length = request.header("content-length"); !length.empty()) {
      std::size_t size = 0;
      std::from_chars(length.data(), length.data() + length.size(), size);
      if (!take(size, request.body)) return std::nullopt;
    }
    return request;
  }

 private:
  static bool parse_head(std::string_view head, HttpRequest& request) {
    const std::size_t line = head.find("\r\n");
    const std::string_view first = head.substr(0, line);
    const std::size_t a = first.find(' ');
    const std::size_t b = first.rfind(' ');
    if (a == std::string_view::npos || a == b) return false;
    request.method = first.substr(0, a);
    request.target = first.substr(a + 1, b - a - 1);
    head.remove_prefix(line + 2);
    while (!head.empty()) {
      const std::string_view field = head.substr(0, head.find("\r\n"));
      head.remove_prefix(field.size() + 2);
      const std::size_t colon = field.find(':');
      if (colon == std::string_view::npos) return false;
      std::string name(field.substr(0, colon));
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      std::string_view value = field.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      request.headers.emplace_back(std::move(name), value);
    }
    return true;
  }

  bool more() {
    char bytes[65'536];
    const std::size_t size = stream_.read(bytes, sizeof bytes);
    buffer_.append(bytes, size);
    return size > 0;
  }

  bool take(std::size_t size, std::string& to) {
    if (size > kMaxBody || to.size() > kMaxBody) return false;
    while (buffer_.size() < size) {
      if (!more()) return false;
    }
    to.append(buffer_, 0, size);
    buffer_.erase(0, size);
    return true;
  }

  bool read_chunks(std::string& body) {
    while (true) {
      std::size_t line = 0;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!more()) return false;
      }
      std::size_t size = 0;
      if (std::from_chars(buffer_.data(), buffer_.data() + line, size, 16).ec != std::errc{}) return false;
      buffer_.erase(0, line + 2);
      std::string ending;
      if (!take(size, body) || !take(2, ending)) return false;
      if (size == 0) return true;
    }
  }

  Stream& stream_;
  std::string buffer_;
};

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 429:
      return "Too Many Requests";
    default:
      return status < 400 ? "Status" : "Error";
  }
}

std::string head_of(const Plan& plan, std::string_view framing) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", plan.status, reason(plan.status),
                                plan.content_type);
  for (const auto& [name, value] : plan.headers) out += fmt::format("{}: {}\r\n", name, value);
  return out.append(framing) + "\r\n";
}

std::string in_chunks(std::string_view body) {
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(kChunk, body.size()))) {
    const std::string_view chunk = body.substr(0, kChunk);
    out += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  }
  return out;
}

enum class Ending : std::uint8_t { answered, cut, client_left };
constexpr std::string_view kEndingNames[] = {"answered", "cut", "client_left"};

// Delivers the answer. The stream is open afterwards only if another request may follow.
Ending deliver(Stream& stream, const Plan& plan) {
  using enum Delivery;
  if (plan.delivery == silent) {
    const bool stayed = stream.linger(kSilence);
    stream.close();
    return stayed ? Ending::cut : Ending::client_left;
  }
  if (!stream.linger(plan.delay)) return Ending::client_left;

  const std::string body = render(plan);
  const std::string_view half = std::string_view(body).substr(0, body.size() / 2);
  const std::string sized = head_of(plan, fmt::format("Content-Length: {}\r\n", body.size()));
  const std::string unsized = head_of(plan, "Transfer-Encoding: chunked\r\n");
  const auto cut_after = [&stream](std::string_view bytes, void (Stream::*end)()) {
    const bool written = stream.write(bytes);
    // What was written must arrive before an RST that would discard it.
    if (written && end == &Stream::reset) stream.linger(milliseconds(20));
    (stream.*end)();
    return written ? Ending::cut : Ending::client_left;
  };
  bool written = false;
  switch (plan.delivery) {
    case reset_before:
      return cut_after("", &Stream::reset);
    case reset_after_headers:
      return cut_after(sized, &Stream::reset);
    case reset_mid_body:
      return cut_after(sized + std::string(half), &Stream::reset);
    case close_mid_body:
      return cut_after(sized + std::string(half), &Stream::close);
    case chunked_unfinished:
      return cut_after(unsized + in_chunks(body), &Stream::close);
    case close_delimited:
      return cut_after(head_of(plan, "Connection: close\r\n") + body, &Stream::close);
    case close_after:
      written = stream.write(sized + body);
      stream.close();
      break;
    case stall_half:
      written = stream.write(sized + std::string(half)) && stream.linger(kSilence);
      stream.close();
      return written ? Ending::cut : Ending::client_left;
    case trickle:
      written = stream.write(sized);
      for (std::size_t i = 0; written && i < body.size(); ++i) {
        written = stream.write(std::string_view(body).substr(i, 1)) && stream.linger(seconds(1));
      }
      break;
    case chunked:
      written = stream.write(unsized + in_chunks(body) + "0\r\n\r\n");
      break;
    default:
      written = stream.write(sized + body);
      break;
  }
  return written ? Ending::answered : Ending::client_left;
}

Plan json_answer(int status, std::string body) {
  Plan plan;
  plan.status = status;
  plan.body = std::move(body);
  return plan;
}

Attempt describe(const HttpRequest& http, const Request& request, std::uint64_t connection,
                 std::uint64_t nth) {
  Attempt attempt;
  attempt.connection = connection;
  attempt.nth_on_connection = nth;
  attempt.model = request.model;
  attempt.items = request.texts.size();
  attempt.encoding_format = request.encoding_format;
  attempt.input_type = request.input_type;
  attempt.dimensions = request.dimensions.value_or(0);
  attempt.members = request.members;
  for (const auto& [name, value] : http.headers) attempt.headers.push_back(name);
  const std::string_view authorization = http.header("authorization");
  if (!authorization.empty()) attempt.authorization_sha256 = sha256_hex(authorization);
  return attempt;
}

void answer_embeddings(Shared& shared, Stream& stream, const HttpRequest& http, std::uint64_t connection,
                       std::uint64_t nth) {
  std::string why;
  const std::optional<Request> request = read_request(http.body, why);
  if (!request) {
    deliver(stream, json_answer(400, error_json(why, "invalid_request_error", "invalid_body")));
    return;
  }
  const Attempts::Started attempt =
      shared.attempts.start(describe(http, *request, connection, nth), *request);
  std::optional<Choice> choice = choose(request->model, shared.width);
  Plan plan;
  if (choice) {
    plan = right_plan(*request, choice->space, choice->width);
    const Circumstances circumstances{.request = *request,
                                      .numbers = std::move(choice->numbers),
                                      .space = choice->space,
                                      .width = choice->width,
                                      .nth_of_model = attempt.nth_of_model,
                                      .repeated = attempt.repeated,
                                      .reused_connection = nth > 0};
    if (attempt.nth_of_model >= choice->after) choice->fault->bend(plan, circumstances);
  } else {
    plan = json_answer(404,
                       error_json("no fault of this name; see --list", "not_found_error", "model_not_found"));
  }
  const Ending ending = deliver(stream, plan);
  shared.attempts.end(attempt.id, kEndingNames[static_cast<std::size_t>(ending)], plan.status);
}

}  // namespace

void serve_connection(Shared& shared, int fd) {
  Stream stream(fd, shared.tls.get());
  Reader reader(stream);
  const std::uint64_t connection = ++shared.connections;
  for (std::uint64_t attempts = 0; stream.ok();) {
    const std::optional<HttpRequest> http = reader.next();
    if (!http) return;
    const std::string_view path = std::string_view(http->target).substr(0, http->target.find('?'));
    if (http->method == "POST" && path.ends_with("/embeddings")) {
      answer_embeddings(shared, stream, *http, connection, attempts++);
    } else if (http->method == "GET" && path == "/attempts") {
      deliver(stream, json_answer(200, shared.attempts.as_json()));
    } else if (http->method == "DELETE" && path == "/attempts") {
      shared.attempts.forget();
      deliver(stream, json_answer(200, "{}"));
    } else if (http->method == "GET" && path == "/healthz") {
      deliver(stream, json_answer(200, "{}"));
    } else {
      deliver(stream, json_answer(404, error_json("unknown path", "not_found_error", "not_found")));
    }
  }
}

}  // namespace embedrouter::fake_upstream
