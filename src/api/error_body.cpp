#include "api/error_body.h"

#include <array>

#include "api/json_cursor.h"
#include "base/json_text.h"

namespace embedrouter::api {
namespace {

constexpr std::size_t kLongestMessage = 300;
constexpr std::size_t kLongestCode = 64;

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

// One line of printable text, at most `most` bytes, cut between characters.
std::string tidy(std::string_view text, std::size_t most) {
  std::string line;
  for (const char c : text.substr(0, most))
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (text.size() > most) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80) line.pop_back();
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0) line.pop_back();
    line += "...";
  }
  return line;
}

// A string or number ahead, as text; anything else is skipped.
std::string read_scalar(JsonCursor& json, std::size_t most) {
  if (json.kind() == JsonKind::string) {
    JsonString text;
    std::string storage;
    if (!json.read_string(text)) return {};
    return tidy(text_of(text, storage), most);
  }
  const bool number = json.kind() == JsonKind::number;
  std::string_view raw;
  if (!json.skip(&raw) || !number) return {};
  return tidy(raw, most);
}

// {"message":…,"code":…,"type":…}, and where they stand for it {"error":…}, {"detail":…}, {"error_type":…}.
void read_object(JsonCursor& json, UpstreamComplaint& said, int depth) {
  if (!json.enter('{')) return;
  bool first = true;
  JsonString key;
  while (json.next_member(first, key)) {
    if (key.raw == "message" || key.raw == "detail") {
      std::string text = read_scalar(json, kLongestMessage);
      if (said.message.empty()) said.message = std::move(text);
    } else if (key.raw == "code") {
      said.code = read_scalar(json, kLongestCode);
    } else if (key.raw == "type" || key.raw == "error_type") {
      said.type = read_scalar(json, kLongestCode);
    } else if (key.raw == "error" && json.kind() == JsonKind::object && depth == 0) {
      read_object(json, said, depth + 1);
    } else if (key.raw == "metadata" && json.kind() == JsonKind::object && depth == 1) {
      // OpenRouter's envelope, and ours, name the kind of error there; `code` beside it is the status.
      UpstreamComplaint inner;
      read_object(json, inner, depth + 1);
      if (!inner.code.empty()) said.code = inner.code;
      if (!inner.type.empty()) said.type = inner.type;
    } else if (key.raw == "error") {
      std::string text = read_scalar(json, kLongestMessage);
      if (said.message.empty()) said.message = std::move(text);
    } else {
      json.skip();
    }
  }
}

}  // namespace

std::string encode_error(const Error& error, std::string_view request_id, std::string_view metadata_json) {
  const ErrorTraits& row = traits(error.code());
  std::string out = R"({"error":{"code":)" + std::to_string(row.http_status) + R"(,"message":)";
  append_json_string(out, error.message());
  out += R"(,"metadata":{"error_type":)";
  append_json_string(out, row.error_type);
  append_member(out, "code", row.name);
  append_member(out, "param", error.param());
  if (error.item()) out += R"(,"item":)" + std::to_string(*error.item());
  append_member(out, "provider_name", error.provider());
  if (row.http_status != 500) append_member(out, "provider_code", error.provider_code());
  append_member(out, "request_id", request_id);
  out += R"(}},"user_id":null)";
  if (!metadata_json.empty()) {
    out += R"(,"openrouter_metadata":)";
    out += metadata_json;
  }
  return out += '}';
}

UpstreamComplaint read_complaint(std::string_view body) {
  UpstreamComplaint said;
  JsonCursor json(body);
  if (json.kind() == JsonKind::object) read_object(json, said, 0);
  if (!json.ok() || !json.finish()) return {};
  return said;
}

std::string loggable(const UpstreamComplaint& said) {
  constexpr std::size_t kLongestName = 64;
  const auto is_name = [](std::string_view text) {
    return !text.empty() && text.size() <= kLongestName &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
               std::string_view::npos;
  };
  if (is_name(said.code)) return "the provider's code is " + said.code;
  if (is_name(said.type)) return "the provider's type of error is " + said.type;
  return {};
}

}  // namespace embedrouter::api
