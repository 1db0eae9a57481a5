#include "fake_upstream/plan.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "fake_upstream/vectors.h"

namespace embedrouter::fake_upstream {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::size_t kMaxDimensions = 65'536;

bool all_integers(const array& items) {
  for (const element item : items) {
    if (!item.is_uint64() && !item.is_int64()) return false;
  }
  return true;
}

std::string ids_as_text(const array& ids) {
  std::string out;
  for (const element id : ids) {
    if (!out.empty()) out += ',';
    out += simdjson::minify(id);
  }
  return out;
}

bool read_input(const element& input, std::vector<std::string>& texts) {
  if (std::string_view text; !input.get(text)) {
    texts.emplace_back(text);
    return true;
  }
  array items;
  if (input.get(items) || items.size() == 0) return false;
  if (all_integers(items)) {
    texts.push_back(ids_as_text(items));
    return true;
  }
  for (const element item : items) {
    std::string_view text;
    array ids;
    if (!item.get(text)) {
      texts.emplace_back(text);
    } else if (!item.get(ids) && ids.size() > 0 && all_integers(ids)) {
      texts.push_back(ids_as_text(ids));
    } else {
      return false;
    }
  }
  return true;
}

std::uint64_t plausible_tokens(const std::vector<std::string>& texts) {
  std::uint64_t tokens = 0;
  for (const std::string& text : texts) tokens += text.size() / 4 + 1;
  return tokens;
}

}  // namespace

std::optional<Request> read_request(const std::string& body, std::string& why) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object)) {
    why = "the body is not a JSON object";
    return std::nullopt;
  }
  Request request;
  for (const auto& [key, value] : object) request.members.emplace_back(key);

  std::string_view text;
  if (object["model"].get(text)) {
    why = "model must be a string";
    return std::nullopt;
  }
  request.model = text;
  element input;
  if (object["input"].get(input) || !read_input(input, request.texts)) {
    why = "input must be a string, strings, token ids, or arrays of token ids";
    return std::nullopt;
  }
  if (!object["encoding_format"].get(text)) request.encoding_format = text;
  request.base64 = request.encoding_format == "base64";
  if (!object["input_type"].get(text)) request.input_type = text;
  if (std::uint64_t dimensions = 0; !object["dimensions"].get(dimensions)) {
    if (dimensions < 1 || dimensions > kMaxDimensions) {
      why = "dimensions is out of range";
      return std::nullopt;
    }
    request.dimensions = dimensions;
  }
  return request;
}

Plan right_plan(const Request& request, std::string_view space, std::size_t width) {
  Plan plan;
  plan.base64 = request.base64;
  plan.model = request.model;
  for (const std::string& text : request.texts) {
    plan.data.push_back({.index = std::to_string(plan.data.size()),
                         .text = text,
                         .values = vector_of(text, space, request.dimensions.value_or(width)),
                         .embedding = {}});
  }
  const std::uint64_t tokens = plausible_tokens(request.texts);
  plan.usage = fmt::format(R"({{"prompt_tokens":{},"total_tokens":{}}})", tokens, tokens);
  return plan;
}

std::string render(const Plan& plan) {
  if (plan.body) return *plan.body;
  std::string out = R"({"object":"list","data":[)";
  bool first = true;
  for (const Entry& entry : plan.data) {
    if (!first) out += ',';
    first = false;
    out += R"({"object":"embedding",)";
    if (!entry.index.empty()) out += R"("index":)" + entry.index + ',';
    out += R"("embedding":)";
    if (!entry.embedding.empty()) {
      out += entry.embedding;
    } else if (plan.base64) {
      out += '"' + base64_of(float32_bytes(entry.values)) + '"';
    } else {
      out += number_array(entry.values);
    }
    out += '}';
  }
  out += R"(],"model":)" + json_string(plan.model);
  if (!plan.usage.empty()) out += R"(,"usage":)" + plan.usage;
  return out += '}';
}

std::string error_json(std::string_view message, std::string_view type, std::string_view code) {
  return fmt::format(R"({{"error":{{"message":{},"type":{},"param":null,"code":{}}}}})", json_string(message),
                     json_string(type), json_string(code));
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace embedrouter::fake_upstream
