// Rows of the table: transport.
#include <algorithm>
#include <array>

#include "fake_upstream/bends.h"
#include "fake_upstream/coding.h"

namespace embedrouter::fake_upstream {
namespace {

using enum Expect;
using C = Circumstances;

constexpr std::size_t kBombBytes = 512UL << 20;

void code(Plan& plan, std::string_view coding, std::string body) {
  plan.headers.emplace_back("Content-Encoding", coding);
  plan.body = std::move(body);
}

void compress(Plan& plan, const C& c, std::string_view coding) {
  if (std::ranges::find(c.request.codings, coding) == c.request.codings.end()) return;
  code(plan, coding, compressed(coding, render(plan)));
}

// The blanks stand behind the first bracket, where JSON allows them.
void bomb(Plan& plan, std::string_view coding) {
  const std::string body = render(plan);
  code(plan, coding, compressed(coding, body.substr(0, 1), kBombBytes, body.substr(1)));
}

// clang-format off
constexpr auto kFaults = std::to_array<Fault>({
  {"silent",              "B1",  error, "the request is read, then nothing for 120 s", [](Plan& p, const C&) { p.delivery = Delivery::silent; }},
  {"trickle",             "B2",  error, "headers, then one byte a second", [](Plan& p, const C&) { p.delivery = Delivery::trickle; }},
  {"stall-half",          "B2",  error, "half of the body, then nothing for 120 s", [](Plan& p, const C&) { p.delivery = Delivery::stall_half; }},
  {"rst-before-headers",  "B3",  error, "reset in place of an answer", [](Plan& p, const C&) { p.delivery = Delivery::reset_before; }},
  {"rst-after-headers",   "B3",  error, "reset after the headers", [](Plan& p, const C&) { p.delivery = Delivery::reset_after_headers; }},
  {"rst-mid-body",        "B3",  error, "reset in the middle of the body", [](Plan& p, const C&) { p.delivery = Delivery::reset_mid_body; }},
  {"fin-mid-body",        "B3",  error, "closed before Content-Length is reached", [](Plan& p, const C&) { p.delivery = Delivery::close_mid_body; }},
  {"missing-last-chunk",  "B3",  error, "chunked, closed before the last chunk", [](Plan& p, const C&) { p.delivery = Delivery::chunked_unfinished; }},
  {"chunked-ok",          "-",   right, "the right answer in chunks of 7 bytes", [](Plan& p, const C&) { p.delivery = Delivery::chunked; }},
  {"rst-on-reuse",        "B4",  right, "reset whenever a connection is used a second time", [](Plan& p, const C& c) { if (c.history.reused_connection) p.delivery = Delivery::reset_before; }},
  {"close-unannounced",   "B4",  right, "the right answer, then closed without a word", [](Plan& p, const C&) { p.delivery = Delivery::close_after; }},
  {"redirect-<N>",        "B6",  error, "status N with a Location on another host", [](Plan& p, const C& c) { plain_status(p, c.numbers[0]); p.headers.emplace_back("Location", "http://127.0.0.2:9/v1/embeddings"); }},
  {"no-content",          "B6",  error, "status 204, no body", [](Plan& p, const C&) { p.status = 204; p.raw = "HTTP/1.1 204 No Content\r\n\r\n"; }},
  {"partial",             "B6",  error, "status 206 with the whole right body", [](Plan& p, const C&) { p.status = 206; p.headers.emplace_back("Content-Range", "bytes 0-99/100"); }},
  {"interim",             "B6",  right, "100, 102 and 103 before the right answer", [](Plan& p, const C&) { p.before = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"; }},
  {"http10",              "-",   right, "the right answer as HTTP/1.0, the end of the connection ends the body", [](Plan& p, const C&) { p.http10 = true; p.delivery = Delivery::close_delimited; }},
  {"not-http",            "B3",  error, "bytes that are no HTTP, then closed", [](Plan& p, const C&) { p.raw = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"; }},

  {"gzip",                "-",   right, "the right answer, gzip where the client accepts it", [](Plan& p, const C& c) { compress(p, c, "gzip"); }},
  {"br",                  "-",   right, "the right answer, br where the client accepts it", [](Plan& p, const C& c) { compress(p, c, "br"); }},
  {"zstd",                "-",   right, "the right answer, zstd where the client accepts it", [](Plan& p, const C& c) { compress(p, c, "zstd"); }},
  {"gzip-members",        "B9",  either, "the right answer as two gzip members, one after the other", [](Plan& p, const C&) { const std::string body = render(p); code(p, "gzip", compressed("gzip", body.substr(0, body.size() / 2)) + compressed("gzip", body.substr(body.size() / 2))); }},
  {"gzip-cut",            "B9",  error, "gzip that ends early, its Content-Length right for what is sent", [](Plan& p, const C&) { const std::string whole = compressed("gzip", render(p)); code(p, "gzip", whole.substr(0, whole.size() / 2)); }},
  {"gzip-claimed",        "B9",  error, "Content-Encoding: gzip on a body that is not", [](Plan& p, const C&) { code(p, "gzip", render(p)); }},
  {"gzip-unclaimed",      "B9",  error, "a gzip body without Content-Encoding", [](Plan& p, const C&) { p.body = compressed("gzip", render(p)); }},
  {"coding-unknown",      "B9",  error, "a Content-Encoding nobody knows on a right body", [](Plan& p, const C&) { code(p, "x-rot13", render(p)); }},
  {"bomb-gzip",           "B9",  error, "512 MiB of blanks in gzip, the right answer around them", [](Plan& p, const C&) { bomb(p, "gzip"); }},
  {"bomb-br",             "B9",  error, "the same in br, in less than 16 KB", [](Plan& p, const C&) { bomb(p, "br"); }},
  {"bomb-zstd",           "B9",  error, "the same in zstd", [](Plan& p, const C&) { bomb(p, "zstd"); }},
  {"endless-body",        "B9",  error, "chunks of blanks for as long as they are read", [](Plan& p, const C&) { p.delivery = Delivery::endless_body; }},

  {"endless-headers",     "B11", error, "header lines for as long as they are read", [](Plan& p, const C&) { p.delivery = Delivery::endless_headers; }},
  {"huge-header",         "B11", error, "one header of 1 MiB on the right answer", [](Plan& p, const C&) { p.headers.emplace_back("X-Padding", std::string(1 << 20, 'x')); }},
  {"length-twice",        "B11", error, "two Content-Lengths that differ", [](Plan& p, const C&) { p.headers.emplace_back("Content-Length", "7"); }},
  {"length-and-chunks",   "B11", error, "Content-Length beside Transfer-Encoding", [](Plan& p, const C&) { p.headers.emplace_back("Content-Length", "7"); p.delivery = Delivery::chunked; }},
  {"header-fold",         "B11", either, "a header folded over two lines", [](Plan& p, const C&) { p.headers.emplace_back("X-Folded", "one\r\n two"); }},
});
// clang-format on

}  // namespace

std::span<const Fault> transport_faults() {
  return kFaults;
}

}  // namespace embedrouter::fake_upstream
