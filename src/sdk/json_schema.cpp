#include "sdk/json_schema.h"

#include <bitset>
#include <charconv>

namespace embedrouter::sdk {
namespace {

using api::JsonKind;

constexpr std::size_t kMostMembers = 64;

}  // namespace

bool read(JsonReader& in, std::string& out) {
  if (in.json.kind() != JsonKind::string) return in.wrong("a string");
  api::JsonString text;
  if (!in.json.read_string(text)) return false;
  std::string plain;
  out = api::text_of(text, plain);
  return true;
}

bool read(JsonReader& in, bool& out) {
  if (in.json.kind() != JsonKind::boolean) return in.wrong("true or false");
  return in.json.read_bool(out);
}

bool read(JsonReader& in, double& out) {
  if (in.json.kind() != JsonKind::number) return in.wrong("a number");
  api::Decimal decimal;
  if (!in.json.read_number(decimal)) return false;
  const std::string_view text = decimal.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc::result_out_of_range) return in.wrong("a number in the range of float64");
  return true;
}

bool read(JsonReader& in, std::int64_t& out) {
  double value = 0;
  // The official Python SDK takes "429" for a number, too.
  if (in.json.kind() == JsonKind::string) {
    std::string text;
    if (!read(in, text)) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return (error == std::errc() && end == text.data() + text.size()) || in.wrong("a whole number");
  }
  if (in.json.kind() != JsonKind::number) return in.wrong("a whole number");
  api::Decimal decimal;
  if (!in.json.read_number(decimal)) return false;
  const std::string_view text = decimal.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size()) return true;
  std::from_chars(text.data(), text.data() + text.size(), value);
  // 1.0 and 1e3; beyond 2^53 a float64 is no exact number.
  constexpr double kExact = 9007199254740992.0;
  if (!(value >= -kExact && value <= kExact)) return in.wrong("a whole number");
  out = static_cast<std::int64_t>(value);
  return static_cast<double>(out) == value || in.wrong("a whole number");
}

bool read(JsonReader& in, Json& out) {
  std::string_view text;
  if (!in.json.skip(&text)) return false;
  out.text = text;
  return true;
}

bool read_members(JsonReader& in, void* object, std::span<const Member> members) {
  if (in.json.kind() != JsonKind::object) return in.wrong("an object");
  in.json.enter('{');
  std::bitset<kMostMembers> seen;
  const std::size_t length = in.path.size();
  std::string plain;
  api::JsonString key;
  bool first = true;
  while (in.json.next_member(first, key)) {
    const std::string_view name = api::text_of(key, plain);
    std::size_t i = 0;
    while (i < members.size() && members[i].name != name) ++i;
    if (i == members.size()) {
      if (!in.json.skip()) return false;
      continue;
    }
    seen.set(i);
    if (length != 0) in.path += '.';
    in.path += name;
    if (!members[i].read(in, object)) return false;
    in.path.resize(length);
  }
  if (!in.json.ok()) return false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].presence == Presence::required && !seen.test(i)) {
      in.complaint = (length == 0 ? "the answer" : in.path) + " has no " + std::string(members[i].name);
      return false;
    }
  }
  return true;
}

}  // namespace embedrouter::sdk
