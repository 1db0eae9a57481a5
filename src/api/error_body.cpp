#include "api/error_body.h"

#include <array>

#include "api/json_cursor.h"
#include "api/json_members.h"

namespace embedrouter::api {
namespace {

constexpr std::size_t kLongestMessage = 300;
constexpr std::size_t kLongestCode = 64;

constexpr std::string_view kInternalMessage =
    "Internal Server Error: the router could not do this; its log says why under the request id";

void append_known(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) members::text(out, name, value);
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

std::string encode_error(const Error& error, std::string_view request_id, const ErrorStory& story) {
  const ErrorTraits& row = traits(error.code());
  const bool withheld = row.http_status == 500;
  std::string out = R"({"error":{)";
  members::number(out, "code", row.http_status);
  members::text(out, "message", withheld ? kInternalMessage : std::string_view(error.message()));
  members::key(out, "metadata");
  out += '{';
  members::text(out, "error_type", row.error_type);
  members::text(out, "code", row.name);
  append_known(out, "param", error.param());
  if (error.item()) members::number(out, "item", *error.item());
  if (!withheld) {
    append_known(out, "provider_name", error.provider());
    append_known(out, "provider_code", error.provider_code());
    if (!story.previous_errors.empty()) members::literal(out, "previous_errors", story.previous_errors);
  }
  append_known(out, "request_id", request_id);
  out += '}';
  if (!withheld && !story.availability.empty()) members::literal(out, "availability", story.availability);
  out += R"(},"user_id":null)";
  if (!withheld && !story.openrouter_metadata.empty())
    members::literal(out, "openrouter_metadata", story.openrouter_metadata);
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
