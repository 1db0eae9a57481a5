#include "fake_upstream/deliver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "fake_upstream/dialect.h"

namespace embedrouter::fake_upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kSilence{120};
constexpr std::size_t kChunk = 7;
constexpr std::size_t kFloodBlock = 64 * 1024;
constexpr std::size_t kMostOfAFlood = 4UL << 30;

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
  std::string out =
      fmt::format("{}HTTP/{} {} {}\r\nContent-Type: {}\r\n", plan.before, plan.http10 ? "1.0" : "1.1",
                  plan.status, reason(plan.status), plan.content_type);
  if (!plan.dialect->tokens_header.empty() && plan.status == 200 && !plan.tokens.empty())
    out += fmt::format("{}: {}\r\n", plan.dialect->tokens_header, plan.tokens);
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

// Writes until the peer has had enough.
Ending flood(Stream& stream, const Plan& plan) {
  const bool headers = plan.delivery == Delivery::endless_headers;
  std::string head = head_of(plan, headers ? "" : "Transfer-Encoding: chunked\r\n");
  if (headers) head.resize(head.size() - 2);  // without the empty line
  std::string block;
  if (headers) {
    while (block.size() < kFloodBlock) block += "X-Padding: " + std::string(1000, 'x') + "\r\n";
  } else {
    block = fmt::format("{:x}\r\n{}\r\n", kFloodBlock, std::string(kFloodBlock, ' '));
  }
  bool written = stream.write(head);
  for (std::size_t sent = 0; written && sent < kMostOfAFlood; sent += block.size())
    written = stream.write(block);
  stream.close();
  return written ? Ending::cut : Ending::client_left;
}

}  // namespace

std::string_view word(Ending ending) {
  constexpr std::array<std::string_view, 3> kWords{"answered", "cut", "client_left"};
  return kWords[static_cast<std::size_t>(ending)];
}

Ending deliver(Stream& stream, const Plan& plan, const std::function<void()>& begins) {
  using enum Delivery;
  if (plan.delivery == silent) {
    const bool stayed = stream.linger(kSilence);
    stream.close();
    return stayed ? Ending::cut : Ending::client_left;
  }
  if (!stream.linger(plan.delay)) return Ending::client_left;
  if (begins) begins();
  if (plan.delivery == endless_headers || plan.delivery == endless_body) return flood(stream, plan);

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
  if (plan.raw) {
    if (plan.status != 204) return cut_after(*plan.raw, &Stream::close);
    return stream.write(*plan.raw) ? Ending::answered : Ending::client_left;
  }
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

}  // namespace embedrouter::fake_upstream
