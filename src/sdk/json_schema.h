#pragma once
// From JSON to the public structs: a struct's Schema is a table of its members. Unknown members are ignored;
// the last of two of one name counts, as in the official SDKs.

#include <embedrouter/json_value.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/json_cursor.h"

namespace embedrouter::sdk {

// A cursor with a place and a complaint.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : json(text) {}

  bool wrong(std::string_view expected) {
    if (complaint.empty() && json.ok())
      complaint = (path.empty() ? "the answer" : path) + " is not " + std::string(expected);
    return false;
  }
  // After something returned false.
  std::string what() const { return complaint.empty() ? "not valid JSON: " + json.fault() : complaint; }

  api::JsonCursor json;
  std::string path;  // "data[3].name"
  std::string complaint;
};

bool read(JsonReader& in, std::string& out);
bool read(JsonReader& in, bool& out);
bool read(JsonReader& in, std::int64_t& out);
bool read(JsonReader& in, double& out);
bool read(JsonReader& in, Json& out);

enum class Presence : std::uint8_t { required, optional };

struct Member {
  std::string_view name;
  Presence presence;
  bool (*read)(JsonReader& in, void* object);
};
// One that knows which member of its struct it is.
template <auto kPointer>
struct MemberAt : Member {};

bool read_members(JsonReader& in, void* object, std::span<const Member> members);

template <class T>
struct Schema;  // static constexpr std::tuple kMembers{required<&T::name>("name"), …}

template <class T>
inline constexpr auto kMembersOf = std::apply(
    [](const auto&... members) {
      return std::array<Member, sizeof...(members)>{static_cast<const Member&>(members)...};
    },
    Schema<T>::kMembers);

template <class T>
  requires requires { Schema<T>::kMembers; }
bool read(JsonReader& in, T& out) {
  return read_members(in, &out, kMembersOf<T>);
}
// null is nothing.
template <class T>
bool read(JsonReader& in, std::optional<T>& out);

template <class T>
bool read(JsonReader& in, std::vector<T>& out) {
  if (in.json.kind() != api::JsonKind::array) return in.wrong("an array");
  in.json.enter('[');
  out.clear();
  const std::size_t length = in.path.size();
  bool first = true;
  while (in.json.next_element(first)) {
    in.path += '[' + std::to_string(out.size()) + ']';
    if (!read(in, out.emplace_back())) return false;
    in.path.resize(length);
  }
  return in.json.ok();
}

template <class T>
bool read(JsonReader& in, std::optional<T>& out) {
  if (in.json.kind() == api::JsonKind::null) {
    out.reset();
    return in.json.read_null();
  }
  return read(in, out.emplace());
}

template <class T>
bool read(JsonReader& in, std::map<std::string, T>& out) {
  if (in.json.kind() != api::JsonKind::object) return in.wrong("an object");
  in.json.enter('{');
  out.clear();
  const std::size_t length = in.path.size();
  bool first = true;
  std::string plain;
  api::JsonString key;
  while (in.json.next_member(first, key)) {
    const std::string name(api::text_of(key, plain));
    in.path += '.' + name;
    if (!read(in, out[name])) return false;
    in.path.resize(length);
  }
  return in.json.ok();
}

template <auto kPointer>
struct MemberOf;
template <class C, class T, T C::* kPointer>
struct MemberOf<kPointer> {
  static bool read_it(JsonReader& in, void* object) { return read(in, static_cast<C*>(object)->*kPointer); }
  static bool read_leniently(JsonReader& in, void* object) {
    const JsonReader before = in;
    if (read_it(in, object)) return true;
    if (!in.json.ok() || api::JsonCursor(before.json).kind() != api::JsonKind::object) return false;
    (static_cast<C*>(object)->*kPointer).reset();
    in = before;
    return in.json.skip();
  }
};

template <auto kPointer>
constexpr MemberAt<kPointer> required(std::string_view name) {
  return {{name, Presence::required, &MemberOf<kPointer>::read_it}};
}
template <auto kPointer>
constexpr MemberAt<kPointer> optional(std::string_view name) {
  return {{name, Presence::optional, &MemberOf<kPointer>::read_it}};
}

// Of an optional: nothing, too, when it is an object but not what it should be. So does the official Python
// SDK.
template <auto kPointer>
constexpr MemberAt<kPointer> lenient(std::string_view name) {
  return {{name, Presence::optional, &MemberOf<kPointer>::read_leniently}};
}

// {"data": …}, which most answers are.
template <class T>
struct DataOf {
  T data{};
};
template <class T>
struct Schema<DataOf<T>> {
  static constexpr std::tuple kMembers{required<&DataOf<T>::data>("data")};
};

}  // namespace embedrouter::sdk
