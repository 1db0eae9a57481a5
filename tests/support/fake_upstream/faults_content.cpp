// Rows of the table: 200 OK, wrong content.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "fake_upstream/bends.h"

namespace embedrouter::fake_upstream {
namespace {

using enum Expect;
using C = Circumstances;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

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

// The values with `number` in place of the second.
std::string with_number(const std::vector<float>& values, std::string_view number) {
  std::string text = number_array(values);
  const std::size_t start = text.find(',') + 1;
  const std::size_t end = std::min(text.find(',', start), text.size() - 1);
  return text.replace(start, end - start, number);
}

// Puts `number` where the second value of the last vector was, whatever encoding was asked for.
void spoil_number(Plan& plan, std::string_view number) {
  if (!plan.data.empty()) plan.data.back().embedding = with_number(plan.data.back().values, number);
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

// Behind the last digit of the last vector of numbers.
std::size_t end_of_last_number(std::string_view body) {
  std::size_t at = body.size();
  while ((at = body.rfind(']', at - 1)) != 0 && (body[at - 1] < '0' || body[at - 1] > '9')) {
  }
  return at;
}

// A NaN as the second value, in the form that was asked for.
void spoil_entry(const Plan& plan, Entry& entry) {
  entry.values.at(1) = static_cast<float>(kNaN);
  if (!plan.base64) entry.embedding = with_number(entry.values, "NaN");
}

// clang-format off
constexpr auto kFaults = std::to_array<Fault>({
  {"ok",                  "-",   right, "the right answer", [](Plan&, const C&) {}},

  {"only-first",          "A1",  error, "the first vector alone (of two or more)", [](Plan& p, const C&) { p.data.resize(1); }},
  {"short-first",         "A1",  error, "the first vector missing, the rest numbered from 0", [](Plan& p, const C&) { drop(p, 0); }},
  {"short-middle",        "A1",  error, "a vector in the middle missing, the rest numbered from 0", [](Plan& p, const C&) { drop(p, p.data.size() / 2); }},
  {"short-last",          "A1",  error, "the last vector missing", [](Plan& p, const C&) { drop(p, p.data.size() - 1); }},
  {"extra",               "A2",  error, "one vector too many", [](Plan& p, const C&) { p.data.push_back(p.data.back()); renumber(p); }},
  {"reverse",             "A3",  right, "data reversed, each index right", [](Plan& p, const C&) { std::ranges::reverse(p.data); }, kIndex},
  {"index-dup",           "A4",  error, "the last index repeats the one before (of two or more)", [](Plan& p, const C&) { if (p.data.size() > 1) p.data.back().index = p.data[p.data.size() - 2].index; }, kIndex},
  {"index-negative",      "A4",  error, "indices -1, -2, …", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("-{}", i + 1); }); }, kIndex},
  {"index-huge",          "A4",  error, "indices from 1000", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("{}", i + 1000); }); }, kIndex},
  {"index-from-one",      "A4",  error, "indices 1 … n", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("{}", i + 1); }); }, kIndex},
  {"index-string",        "A4",  either, "indices as strings", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format(R"("{}")", i); }); }, kIndex},
  {"index-bool",          "A4",  error, "indices false, true, true, …", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return std::string(i == 0 ? "false" : "true"); }); }, kIndex},
  {"index-fraction",      "A4",  error, "indices 0.5, 1.5, …", [](Plan& p, const C&) { reindex(p, [](std::size_t i) { return fmt::format("{}.5", i); }); }, kIndex},
  {"index-missing-some",  "A4",  error, "every second entry without index (of two or more)", [](Plan& p, const C&) { for (std::size_t i = 1; i < p.data.size(); i += 2) p.data[i].index.clear(); }, kIndex},
  {"index-all-zero",      "A5",  either, "every index 0, as after a careless merge of parts", [](Plan& p, const C&) { reindex(p, [](std::size_t) { return std::string("0"); }); }, kIndex},
  {"index-absent",        "A5",  right, "no index at all, data in order", [](Plan& p, const C&) { reindex(p, [](std::size_t) { return std::string(); }); }, kIndex},
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
  {"wrong-width-1-in-20", "A11", either, "every twentieth answer of half the width", [](Plan& p, const C& c) { if (c.history.requests % 20 == 19) halve(p); }},
  {"ignores-dimensions",  "A11", either, "full width whatever `dimensions` asks for", [](Plan& p, const C& c) { for (Entry& e : p.data) e.values = vector_of(e.text, c.space, c.width); }},
  {"float-for-base64",    "A12", right, "numbers although base64 was asked for", [](Plan& p, const C&) { p.base64 = false; }, kBase64},
  {"base64-for-float",    "A12", right, "base64 although numbers were asked for", [](Plan& p, const C&) { p.base64 = true; }, kBase64},
  {"base64url",           "A12", either, "base64 in the URL alphabet", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return url_alphabet(base64_of(float32_bytes(v))); }); }, kBase64},
  {"base64-unpadded",     "A12", either, "base64 without padding", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return without_padding(base64_of(float32_bytes(v))); }); }, kBase64},
  {"base64-short",        "A12", error, "base64 of a length no float32 array has", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return base64_of(std::string_view(float32_bytes(v)).substr(1)); }); }, kBase64},
  {"base64-big-endian",   "A12", error, "base64 of big-endian float32", [](Plan& p, const C&) { as_base64(p, [](const auto& v) { return base64_of(big_endian(v)); }); }, kBase64},
  {"base64-f64",          "A12", error, "base64 of float64", [](Plan& p, const C&) { as_base64(p, as_doubles); }, kBase64},
  {"base64-garbage",      "A12", error, "a string that is not base64", [](Plan& p, const C&) { as_base64(p, [](const auto&) { return std::string("not base64 at all!"); }); }, kBase64},
  {"error-in-200-<N>",    "A13", error, "200 with an error object of code N", [](Plan& p, const C& c) { p.body = p.dialect->error(c.numbers[0], fmt::format("{}", c.numbers[0]), fmt::format("status {} inside a 200", c.numbers[0])); }},
  {"error-beside-data",   "A13", error, "200 with the right data and an error object", [](Plan& p, const C&) { std::string body = render(p); body.back() = ','; p.body = body + R"("error":{"message":"partial failure","code":500}})"; }, kObject},
  {"empty-data",          "A14", error, "an empty list of vectors", [](Plan& p, const C&) { p.data.clear(); }},
  {"empty-body",          "A14", error, "no body", [](Plan& p, const C&) { p.body = ""; }},
  {"null-body",           "A14", error, "the body is null", [](Plan& p, const C&) { p.body = "null"; }},
  {"string-body",         "A14", error, "the body is a string", [](Plan& p, const C&) { p.body = R"("string")"; }},
  {"html",                "A14", error, "an HTML page with status 200", [](Plan& p, const C&) { unusual_body(p, "text/html", std::string(kHtml)); }},
  {"cut-json",            "A15", error, "half of the body, its Content-Length right for the half", [](Plan& p, const C&) { const std::string body = render(p); p.body = body.substr(0, body.size() / 2); }},
  {"cut-number",          "A15", error, "cut inside a number, the end of the connection ends the body", [](Plan& p, const C&) { p.base64 = false; const std::string body = render(p); p.body = body.substr(0, end_of_last_number(body) - 3); p.delivery = Delivery::close_delimited; }},
  {"trailing-garbage",    "A15", error, "the right body and then more", [](Plan& p, const C&) { p.body = render(p) + "}"; }},
  {"usage-missing",       "A17", right, "no usage", [](Plan& p, const C&) { p.tokens.clear(); }},
  {"usage-zero",          "A17", right, "usage of 0 tokens", [](Plan& p, const C&) { p.tokens = "0"; }},
  {"usage-negative",      "A17", right, "usage of -5 tokens", [](Plan& p, const C&) { p.tokens = "-5"; }},
  {"usage-huge",          "A17", right, "more tokens than the texts have bytes", [](Plan& p, const C&) { p.tokens = "9007199254740993"; }},
  {"usage-string",        "A17", right, "token counts as strings", [](Plan& p, const C&) { p.tokens = R"("8")"; }},
  {"other-model",         "A18", right, "the answer names another model", [](Plan& p, const C&) { p.model = "another-model"; }, kModel},
  {"unnormalised",        "A19", either, "vectors of length 3", [](Plan& p, const C&) { change_values(p, [](std::vector<float>& v) { for (float& x : v) x *= 3; }); }},
  {"by-type",             "A20", error, "an object by type in place of the list", [](Plan& p, const C&) { std::string all; for (const Entry& e : p.data) all += (all.empty() ? "" : ",") + number_array(e.values); p.body = R"({"id":"x","embeddings":{"float":[)" + all + "]}}"; }},
  {"nested",              "A20", either, "each vector wrapped in a list of one", [](Plan& p, const C&) { for (Entry& e : p.data) e.embedding = "[" + number_array(e.values) + "]"; }},
  {"fused",               "A20", error, "one vector for all texts together (of two or more)", [](Plan& p, const C& c) { std::string all; for (const Entry& e : p.data) all += e.text; p.data.resize(1); p.data[0].values = vector_of(all, c.space, p.data[0].values.size()); }},
  {"truncated-<N>",       "A21", undetectable, "vectors of the first N bytes, usage N tokens", [](Plan& p, const C& c) { for (Entry& e : p.data) e.values = vector_of(std::string_view(e.text).substr(0, static_cast<std::size_t>(c.numbers[0])), c.space, e.values.size()); p.tokens = fmt::format("{}", c.numbers[0]); }},
  {"poison-nan",          "A7",  either, "a NaN in the vectors of texts that hold the word poison", [](Plan& p, const C&) { for (Entry& e : p.data) if (poisoned(e.text)) spoil_entry(p, e); }},
  {"poison-zero",         "A8",  either, "zero vectors for texts that hold the word poison", [](Plan& p, const C&) { for (Entry& e : p.data) if (poisoned(e.text)) std::ranges::fill(e.values, 0.0F); }},
});
// clang-format on

}  // namespace

std::span<const Fault> content_faults() {
  return kFaults;
}

}  // namespace embedrouter::fake_upstream
