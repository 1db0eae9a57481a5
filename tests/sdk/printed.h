#pragma once
// What calls return, as JSON: every member that a Schema reads, under its name in C++, so that a Schema which
// reads a member into another one shows.

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "sdk/account_types.h"
#include "sdk/embeddings_types.h"
#include "sdk/model_types.h"

namespace sdk_driver {

namespace sdk = embedrouter::sdk;

inline std::string printed(std::string_view text) {
  std::string out;
  embedrouter::append_json_string(out, text);
  return out;
}
inline std::string printed(const std::string& text) {
  return printed(std::string_view(text));
}
inline std::string printed(bool value) {
  return value ? "true" : "false";
}
inline std::string printed(std::int64_t value) {
  return std::to_string(value);
}
inline std::string printed(double value) {
  char digits[32];
  std::snprintf(&digits[0], sizeof digits, "%.17g", value);
  return &digits[0];
}

template <class T>
std::string printed(const std::optional<T>& value);
template <class T>
std::string printed(const std::vector<T>& list);
template <class T>
std::string printed(const std::map<std::string, T>& values);

// "hash", of &ApiKey::hash.
template <auto kPointer>
std::string_view name_of() {
  std::string_view text(__PRETTY_FUNCTION__);  // … kPointer = &embedrouter::sdk::v0::ApiKey::hash]
  text = text.substr(0, text.find_first_of("];", text.find('&')));
  return text.substr(text.rfind(':') + 1);
}

template <class T>
  requires requires { sdk::Schema<T>::kMembers; }
std::string printed(const T& object) {
  std::string out = "{";
  const auto member = [&]<auto kPointer>(const sdk::MemberAt<kPointer>&) {
    out += (out.size() == 1 ? "" : ",") + printed(name_of<kPointer>()) + ':' + printed(object.*kPointer);
  };
  std::apply([&](const auto&... members) { (member(members), ...); }, sdk::Schema<T>::kMembers);
  return out + '}';
}
template <class T>
std::string printed(const std::optional<T>& value) {
  return value ? printed(*value) : "null";
}
template <class T>
std::string printed(const std::vector<T>& list) {
  std::string out = "[";
  for (const T& item : list) out += (out.size() == 1 ? "" : ",") + printed(item);
  return out + ']';
}
template <class T>
std::string printed(const std::map<std::string, T>& values) {
  std::string out = "{";
  for (const auto& [name, value] : values)
    out += (out.size() == 1 ? "" : ",") + printed(name) + ':' + printed(value);
  return out + '}';
}

}  // namespace sdk_driver
