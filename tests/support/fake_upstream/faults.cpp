#include "fake_upstream/faults.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>

#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

using enum Expect;
using C = Circumstances;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxWidth = 65'536;

void renumber(Plan& plan) {
  for (std::size_t i = 0; i < plan.data.size(); ++i) plan.data[i].index = std::to_string(i);
}

void drop(Plan& plan, std::size_t at) {
  if (!plan.data.empty()) plan.data.erase(plan.data.begin() + static_cast<std::ptrdiff_t>(at));
  renumber(plan);
}

// Sets the index of every entry from its position.
template <class F>
void reindex(Plan& plan, F index_of) {
  for (std::size_t i = 0; i < plan.data.size(); ++i) plan.data[i].index = index_of(i);
}

// Changes the direction of every vector before it is brought to unit length.
template <class F>
void redirect(Plan& plan, const C& c, F change) {
  for (Entry& entry : plan.data) {
    std::vector<double> direction = direction_of(entry.text, c.space, entry.values.size());
    change(direction);
    entry.values = normalised(direction);
  }
}

template <class F>
void change_values(Plan& plan, F change) {
  for (Entry& entry : plan.data) change(entry.values);
}

void cut_vectors(Plan& plan, std::size_t width) {
  change_values(plan, [width](std::vector<float>& values) { values.resize(width); });
}

void halve(Plan& plan) {
  if (!plan.data.empty()) cut_vectors(plan, plan.data.front().values.size() / 2);
}

// Puts `number` where the second value of the last vector was, whatever encoding was asked for.
void spoil_number(Plan& plan, std::string_view number) {
  if (plan.data.empty()) return;
  std::string text = number_array(plan.data.back().values);
  const std::size_t start = text.find(',') + 1;
  const std::size_t end = std::min(text.find(',', start), text.size() - 1);
  plan.data.back().embedding = text.replace(start, end - start, number);
}

// As spoil_number, but inside the base64 where that was asked for.
void spoil_value(Plan& plan, float value, std::string_view number) {
  if (!plan.base64) return spoil_number(plan, number);
  if (!plan.data.empty()) plan.data.back().values.at(1) = value;
}

// Sends every vector as a base64 string, whatever was asked for.
template <class F>
void as_base64(Plan& plan, F bytes_to_text) {
  for (Entry& entry : plan.data) entry.embedding = json_string(bytes_to_text(entry.values));
}

std::string big_endian(const std::vector<float>& values) {
  std::string bytes = float32_bytes(values);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + sizeof(float)));
  }
  return bytes;
}

std::string url_alphabet(std::string text) {
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string without_padding(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string as_doubles(const std::vector<float>& values) {
  const std::vector<double> doubles(values.begin(), values.end());
  return base64_of({reinterpret_cast<const char*>(doubles.data()), doubles.size() * sizeof(double)});
}

std::string_view error_type(long status) {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return "invalid_request_error";
    case 401:
      return "authentication_error";
    case 402:
      return "insufficient_quota";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return "server_error";
  }
}

void answer_status(Plan& plan, long status, std::string_view code, std::string_view message) {
  plan.status = static_cast<int>(status);
  plan.body = error_json(message, error_type(status), code);
}

void plain_status(Plan& plan, long status) {
  answer_status(plan, status, fmt::format("fake_{}", status), fmt::format("status {} as asked", status));
}

void refuse_for_now(Plan& plan, std::string_view header, std::string value) {
  plain_status(plan, 429);
  plan.headers.emplace_back(header, std::move(value));
}

std::string http_date(fmt::string_view format, int seconds_from_now) {
  return fmt::format(fmt::runtime(format), fmt::gmtime(std::time(nullptr) + seconds_from_now));
}

void unusual_body(Plan& plan, std::string_view content_type, std::string body) {
  plan.content_type = content_type;
  plan.body = std::move(body);
}

constexpr std::string_view kHtml = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>";
constexpr std::string_view kContext =
    "This model's maximum context length is 8192 tokens, however you requested 9000 tokens. Please reduce "
    "your prompt.";

// clang-format off
constexpr auto kFaults = std::to_array<Fault>({
  {"ok",                  "-",   right, "the right answer", [](Plan&, const C&) {}},

  {"only-first",          "A1",  error, "the first vector alone (of two or more)", [](Plan& p, const C&) { p.data.resize(1); }},
  {"short-first",         "A1",  error, "the first vector missing, the rest numbered from 0", [](Plan& p, const C&) { drop(p, 0); }},
  {"short-middle",        "A1",  error, "a vector in the middle missing, the rest numbered from 0", [](Plan& p, const C&) { drop(p, p.data.size() / 2); }},
  {"short-last",          "A1",  error, "the last vector missing", [](Plan& p, const C&) { drop(p, p.data.size() - 1); }},
  {"extra",               "A2",  error, "one vector too many", [](Plan& p, const C&) { p.data.push_back(p.data.back()); renumber(p); }},
  {"reverse",             "A3",  right, "data reversed, each index right", [](Plan& p, const C&) { std::ranges::reverse(p.data); }},
  {"index-dup",           "A4",  error, "the last index repeats the one before (of two or more)", [](Plan& p, const C&) { if (p.data.size() > 1) p.data.back().index = p.data[p.data.size() - 2].index; }},
  {"index-negative",      "A4",  error, "indices -1, -2, …", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("-{}", i + 1); }); }},
  {"index-huge",          "A4",  error, "indices from 1000", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("{}", i + 1000); }); }},
  {"index-from-one",      "A4",  error, "indices 1 … n", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("{}", i + 1); }); }},
  {"index-string",        "A4",  either, "indices as strings", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format(R"("{}")", i); }); }},
  {"index-bool",          "A4",  error, "indices false, true, true, …", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return std::string(i == 0 ? "false" : "true"); }); }},
  {"index-fraction",      "A4",  error, "indices 0.5, 1.5, …", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("{}.5", i); }); }},
  {"index-missing-some",  "A4",  error, "every second entry without index (of two or more)", [](Plan& p, const C&) { for (std::size_t i = 1; i < p.data.size(); i += 2) p.data[i].index.clear(); }},
  {"index-all-zero",      "A5",  either, "every index 0, as after a careless merge of parts", [](Plan& p, const C&) { reindex(p, [](std::size_t) { return std::string("0"); }); }},
  {"index-absent",        "A5",  right, "no index at all, data in order", [](Plan& p, const C&) { reindex(p, [](std::size_t) { return std::string(); }); }},
  {"shuffled",            "A6",  undetectable, "vectors reversed, indices look right", [](Plan& p, const C&) { std::ranges::reverse(p.data); renumber(p); }},
  {"nan",                 "A7",  error, "a NaN in the last vector", [](Plan& p, const C&) { spoil_value(p, static_cast<float>(kNaN), "NaN"); }},
  {"infinity",            "A7",  error, "an Infinity in the last vector", [](Plan& p, const C&) { spoil_value(p, std::numeric_limits<float>::infinity(), "Infinity"); }},
  {"null",                "A7",  error, "a null in the last vector", [](Plan& p, const C&) { spoil_number(p, "null"); }},
  {"1e400",               "A7",  error, "a number beyond double in the last vector", [](Plan& p, const C&) { spoil_number(p, "1e400"); }},
  {"1e39",                "A7",  error, "a number beyond float32 in the last vector", [](Plan& p, const C&) { spoil_number(p, "1e39"); }},
  {"negative-zero",       "A7",  right, "the second value is -0.0", [](Plan& p, const C& c) { redirect(p, c, [](std::vector<double>& d) { d.at(1) = -0.0; }); }},
  {"subnormal",           "A7",  right, "the second value is 1e-40", [](Plan& p, const C& c) { redirect(p, c, [](std::vector<double>& d) { d.at(1) = 0; }); change_values(p, [](std::vector<float>& v) { v.at(1) = 1e-40F; }); }},
  {"leading-zero",        "A8",  right, "the first value is exactly 0, which is legal", [](Plan& p, const C& c) { redirect(p, c, [](std::vector<double>& d) { d.at(0) = 0; }); }},
  {"zero-vector",         "A8",  error, "all vectors zero, usage plausible", [](Plan& p, const C&) { change_values(p, [](std::vector<float>& v) { std::ranges::fill(v, 0.0F); }); }},
  {"zero-vector-last",    "A8",  error, "the last vector zero", [](Plan& p, const C&) { if (!p.data.empty()) std::ranges::fill(p.data.back().values, 0.0F); }},
  {"same-vector",         "A9",  error, "the first text's vector for all (a fault from four texts on)", [](Plan& p, const C&) { for (Entry& e : p.data) e.values = p.data.front().values; }},
  {"half-zero",           "A9",  error, "the second half of every vector zero", [](Plan& p, const C&) { change_values(p, [](std::vector<float>& v) { std::fill(v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end(), 0.0F); }); }},
  {"empty-vector",        "A10", error, "vectors without values", [](Plan& p, const C&) { cut_vectors(p, 0); }},
  {"null-vector",         "A10", error, "null in place of the last vector", [](Plan& p, const C&) { if (!p.data.empty()) p.data.back().embedding = "null"; }},
  {"ragged",              "A10", error, "the last vector one value short", [](Plan& p, const C&) { if (!p.data.empty()) p.data.back().values.pop_back(); }},
  {"wrong-width",         "A11", error, "vectors of half the width", [](Plan& p, const C&) { halve(p); }},
  {"wrong-width-1-in-20", "A11", either, "every twentieth answer of half the width", [](Plan& p, const C& c) { if (c.nth_of_model % 20 == 19) halve(p); }},
  {"ignores-dimensions",  "A11", either, "full width whatever `dimensions` asks for", [](Plan& p, const C& c) { for (Entry& e : p.data) e.values = vector_of(e.text, c.space, c.width); }},
  {"float-for-base64",    "A12", right, "numbers although base64 was asked for", [](Plan& p, const C&) { p.base64 = false; }},
  {"base64-for-float",    "A12", right, "base64 although numbers were asked for", [](Plan& p, const C&) { p.base64 = true; }},
  {"base64url",           "A12", either, "base64 in the URL alphabet", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return url_alphabet(base64_of(float32_bytes(v))); }); }},
  {"base64-unpadded",     "A12", either, "base64 without padding", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return without_padding(base64_of(float32_bytes(v))); }); }},
  {"base64-short",        "A12", error, "base64 of a length no float32 array has", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return base64_of(std::string_view(float32_bytes(v)).substr(1)); }); }},
  {"base64-big-endian",   "A12", error, "base64 of big-endian float32", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return base64_of(big_endian(v)); }); }},
  {"base64-f64",          "A12", error, "base64 of float64", [](Plan& p, const C&) { as_base64(p, as_doubles); }},
  {"base64-garbage",      "A12", error, "a string that is not base64", [](Plan& p, const C&) { as_base64(p, [](const auto&) { return std::string("not base64 at all!"); }); }},
  {"error-in-200-<N>",    "A13", error, "200 with an error object of code N", [](Plan& p, const C& c) { p.body = fmt::format(R"({{"error":{{"message":"status {0} inside a 200","type":"{1}","code":{0}}}}})", c.numbers[0], error_type(c.numbers[0])); }},
  {"error-beside-data",   "A13", error, "200 with the right data and an error object", [](Plan& p, const C&) { std::string body = render(p); body.back() = ','; p.body = body + R"("error":{"message":"partial failure","code":500}})"; }},
  {"empty-data",          "A14", error, "an empty list of vectors", [](Plan& p, const C&) { p.data.clear(); }},
  {"empty-body",          "A14", error, "no body", [](Plan& p, const C&) { p.body = ""; }},
  {"null-body",           "A14", error, "the body is null", [](Plan& p, const C&) { p.body = "null"; }},
  {"string-body",         "A14", error, "the body is a string", [](Plan& p, const C&) { p.body = R"("string")"; }},
  {"html",                "A14", error, "an HTML page with status 200", [](Plan& p, const C&) { unusual_body(p, "text/html", std::string(kHtml)); }},
  {"cut-json",            "A15", error, "half of the body, its Content-Length right for the half", [](Plan& p, const C&) { const std::string body = render(p); p.body = body.substr(0, body.size() / 2); }},
  {"cut-number",          "A15", error, "cut inside a number, the end of the connection ends the body", [](Plan& p, const C&) { p.base64 = false; const std::string body = render(p); p.body = body.substr(0, body.rfind(']', body.rfind(R"(],"model")") - 1) - 3); p.delivery = Delivery::close_delimited; }},
  {"trailing-garbage",    "A15", error, "the right body and then more", [](Plan& p, const C&) { p.body = render(p) + "}"; }},
  {"usage-missing",       "A17", right, "no usage", [](Plan& p, const C&) { p.usage.clear(); }},
  {"usage-zero",          "A17", right, "usage of 0 tokens", [](Plan& p, const C&) { p.usage = R"({"prompt_tokens":0,"total_tokens":0})"; }},
  {"usage-negative",      "A17", right, "usage of -5 tokens", [](Plan& p, const C&) { p.usage = R"({"prompt_tokens":-5,"total_tokens":-5})"; }},
  {"usage-huge",          "A17", right, "more tokens than the texts have bytes", [](Plan& p, const C&) { p.usage = R"({"prompt_tokens":9007199254740993,"total_tokens":9007199254740993})"; }},
  {"usage-string",        "A17", right, "token counts as strings", [](Plan& p, const C&) { p.usage = R"({"prompt_tokens":"8","total_tokens":"8"})"; }},
  {"other-model",         "A18", right, "the answer names another model", [](Plan& p, const C&) { p.model = "another-model"; }},
  {"unnormalised",        "A19", either, "vectors of length 3", [](Plan& p, const C&) { change_values(p, [](std::vector<float>& v) { for (float& x : v) x *= 3; }); }},
  {"by-type",             "A20", error, "an object by type in place of the list", [](Plan& p, const C&) { std::string all; for (const Entry& e : p.data) all += (all.empty() ? "" : ",") + number_array(e.values); p.body = R"({"id":"x","embeddings":{"float":[)" + all + "]}}"; }},
  {"nested",              "A20", either, "each vector wrapped in a list of one", [](Plan& p, const C&) { for (Entry& e : p.data) e.embedding = "[" + number_array(e.values) + "]"; }},
  {"fused",               "A20", error, "one vector for all texts together (of two or more)", [](Plan& p, const C& c) { std::string all; for (const Entry& e : p.data) all += e.text; p.data.resize(1); p.data[0].values = vector_of(all, c.space, p.data[0].values.size()); }},
  {"truncated-<N>",       "A21", undetectable, "vectors of the first N bytes, usage N tokens", [](Plan& p, const C& c) { for (Entry& e : p.data) e.values = vector_of(std::string_view(e.text).substr(0, static_cast<std::size_t>(c.numbers[0])), c.space, e.values.size()); p.usage = fmt::format(R"({{"prompt_tokens":{0},"total_tokens":{0}}})", c.numbers[0]); }},

  {"silent",              "B1",  error, "the request is read, then nothing for 120 s", [](Plan& p, const C&) { p.delivery = Delivery::silent; }},
  {"trickle",             "B2",  error, "headers, then one byte a second", [](Plan& p, const C&) { p.delivery = Delivery::trickle; }},
  {"stall-half",          "B2",  error, "half of the body, then nothing for 120 s", [](Plan& p, const C&) { p.delivery = Delivery::stall_half; }},
  {"rst-before-headers",  "B3",  error, "reset in place of an answer", [](Plan& p, const C&) { p.delivery = Delivery::reset_before; }},
  {"rst-after-headers",   "B3",  error, "reset after the headers", [](Plan& p, const C&) { p.delivery = Delivery::reset_after_headers; }},
  {"rst-mid-body",        "B3",  error, "reset in the middle of the body", [](Plan& p, const C&) { p.delivery = Delivery::reset_mid_body; }},
  {"fin-mid-body",        "B3",  error, "closed before Content-Length is reached", [](Plan& p, const C&) { p.delivery = Delivery::close_mid_body; }},
  {"missing-last-chunk",  "B3",  error, "chunked, closed before the last chunk", [](Plan& p, const C&) { p.delivery = Delivery::chunked_unfinished; }},
  {"chunked-ok",          "-",   right, "the right answer in chunks of 7 bytes", [](Plan& p, const C&) { p.delivery = Delivery::chunked; }},
  {"rst-on-reuse",        "B4",  right, "reset whenever a connection is used a second time", [](Plan& p, const C& c) { if (c.reused_connection) p.delivery = Delivery::reset_before; }},
  {"close-unannounced",   "B4",  right, "the right answer, then closed without a word", [](Plan& p, const C&) { p.delivery = Delivery::close_after; }},
  {"redirect-<N>",        "B6",  error, "status N with a Location on another host", [](Plan& p, const C& c) { plain_status(p, c.numbers[0]); p.headers.emplace_back("Location", "http://127.0.0.2:9/v1/embeddings"); }},

  {"delay-<N>ms",         "-",   right, "the right answer after N milliseconds", [](Plan& p, const C& c) { p.delay = std::chrono::milliseconds(c.numbers[0]); }},
  {"delay-<N>s",          "-",   right, "the right answer after N seconds", [](Plan& p, const C& c) { p.delay = std::chrono::seconds(c.numbers[0]); }},
  {"max-items-<N>",       "C7",  either, "400 for more than N texts", [](Plan& p, const C& c) { if (c.request.texts.size() > static_cast<std::size_t>(c.numbers[0])) answer_status(p, 400, "array_above_max_length", "too many inputs"); }},

  {"status-<N>",          "C6",  error, "status N with an error object", [](Plan& p, const C& c) { plain_status(p, c.numbers[0]); }},
  {"status-<N>-once",     "C6",  either, "status N the first time these texts are sent, then right", [](Plan& p, const C& c) { if (!c.repeated) plain_status(p, c.numbers[0]); }},
  {"status-<N>-html",     "C6",  error, "status N with an HTML page", [](Plan& p, const C& c) { p.status = static_cast<int>(c.numbers[0]); unusual_body(p, "text/html", std::string(kHtml)); }},
  {"status-<N>-retry-<N>", "C1", error, "status N with Retry-After in seconds", [](Plan& p, const C& c) { plain_status(p, c.numbers[0]); p.headers.emplace_back("Retry-After", fmt::format("{}", c.numbers[1])); }},
  {"status-429-retry-imf", "C1", error, "429, Retry-After two seconds ahead as an IMF-fixdate", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%a, %d %b %Y %H:%M:%S GMT}", 2)); }},
  {"status-429-retry-rfc850", "C1", error, "the same in RFC 850's form", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%A, %d-%b-%y %H:%M:%S GMT}", 2)); }},
  {"status-429-retry-asctime", "C1", error, "the same in asctime's form", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%a %b %e %H:%M:%S %Y}", 2)); }},
  {"status-429-retry-past", "C1", error, "429, Retry-After a date an hour ago", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", http_date("{:%a, %d %b %Y %H:%M:%S GMT}", -3600)); }},
  {"status-429-retry-negative", "C1", error, "429, Retry-After: -3", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", "-3"); }},
  {"status-429-retry-fraction", "C1", error, "429, Retry-After: 1.5", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", "1.5"); }},
  {"status-429-retry-junk", "C1", error, "429, Retry-After: soon", [](Plan& p, const C&) { refuse_for_now(p, "Retry-After", "soon"); }},
  {"status-429-retry-ms-<N>", "C1", error, "429, retry-after-ms: N", [](Plan& p, const C& c) { refuse_for_now(p, "retry-after-ms", fmt::format("{}", c.numbers[0])); }},
  {"status-429-quota",    "C4",  error, "429 insufficient_quota", [](Plan& p, const C&) { p.status = 429; p.body = error_json("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota"); }},
  {"status-400-context",  "C7",  error, "400 context_length_exceeded", [](Plan& p, const C&) { answer_status(p, 400, "context_length_exceeded", kContext); }},
  {"status-400-policy",   "C9",  error, "400 content_policy_violation", [](Plan& p, const C&) { answer_status(p, 400, "content_policy_violation", "The input was refused by the content filter."); }},
  {"status-422-items",    "C7",  error, "422 array_above_max_length", [](Plan& p, const C&) { answer_status(p, 422, "array_above_max_length", "too many inputs"); }},
  {"status-500-too-large", "C7", error, "500 for an input beyond one batch", [](Plan& p, const C&) { answer_status(p, 500, "server_error", "input is too large to process. increase the physical batch size"); }},
});
// clang-format on

// Takes "after-<N>-" off the front and returns its number; 0 if it is not there.
std::uint64_t take_after(std::string_view& model) {
  constexpr std::string_view kAfter = "after-";
  if (!model.starts_with(kAfter)) return 0;
  std::uint64_t after = 0;
  const std::string_view rest = model.substr(kAfter.size());
  const auto [end, error] = std::from_chars(rest.begin(), rest.end(), after);
  if (error != std::errc{} || end == rest.end() || *end != '-') return 0;
  model = rest.substr(static_cast<std::size_t>(end - rest.begin()) + 1);
  return after;
}

// Matches `text` against a name with <N>s, collecting the numbers.
bool matches(std::string_view name, std::string_view text, std::vector<long>& numbers) {
  constexpr std::string_view kHole = "<N>";
  numbers.clear();
  while (true) {
    const std::size_t hole = name.find(kHole);
    const std::string_view literal = name.substr(0, hole);
    if (!text.starts_with(literal)) return false;
    text.remove_prefix(literal.size());
    if (hole == std::string_view::npos) return text.empty();
    name.remove_prefix(hole + kHole.size());
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    long number = 0;
    if (std::from_chars(text.begin(), text.begin() + digits, number).ec != std::errc{}) return false;
    numbers.push_back(number);
    text.remove_prefix(digits);
  }
}

const Fault* find(std::string_view text, std::vector<long>& numbers) {
  for (const Fault& fault : kFaults) {
    if (matches(fault.name, text, numbers)) return &fault;
  }
  return nullptr;
}

}  // namespace

std::string_view word(Expect expect) {
  constexpr std::array<std::string_view, 4> kWords{"right", "error", "either", "undetectable"};
  return kWords[static_cast<std::size_t>(expect)];
}

std::span<const Fault> faults() {
  return kFaults;
}

std::optional<Choice> choose(std::string_view model, std::size_t default_width) {
  Choice choice{.fault = nullptr, .numbers = {}, .space = "", .width = default_width, .after = 0};
  if (const std::size_t slash = model.rfind('/'); slash != std::string_view::npos)
    model.remove_prefix(slash + 1);
  if (const std::size_t at = model.find('@'); at != std::string_view::npos) {
    choice.space = model.substr(at + 1);
    model = model.substr(0, at);
  }
  choice.after = take_after(model);
  choice.fault = find(model, choice.numbers);
  if (choice.fault != nullptr) return choice;

  std::vector<long> width;
  const std::size_t suffix = model.rfind("-d");
  if (suffix == std::string_view::npos || !matches("-d<N>", model.substr(suffix), width)) return std::nullopt;
  choice.width = static_cast<std::size_t>(width[0]);
  choice.fault = find(model.substr(0, suffix), choice.numbers);
  if (choice.fault == nullptr || choice.width < 2 || choice.width > kMaxWidth) return std::nullopt;
  return choice;
}

}  // namespace embedrouter::fake_upstream
