#pragma once
// Arguments of calls as the tests write them: the keyword arguments of the official Python SDK, as JSON.

#include <embedrouter/client.h>
#include <simdjson.h>

#include <optional>
#include <string>
#include <vector>

namespace sdk_driver {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

namespace sdk = embedrouter::sdk;

inline std::optional<element> member(const object& from, std::string_view name) {
  element found;
  return from[name].get(found) == simdjson::SUCCESS ? std::optional(found) : std::nullopt;
}

template <class T>
void read(const element& from, T& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    out = std::string(from.get_string().value());
  } else if constexpr (std::is_same_v<T, bool>) {
    out = from.get_bool().value();
  } else if constexpr (std::is_same_v<T, double>) {
    out = from.get_double().value();
  } else if constexpr (std::is_same_v<T, sdk::Json>) {
    out.text = simdjson::to_string(from);
  } else {
    out = static_cast<T>(from.get_int64().value());
  }
}
template <class T>
void read(const element& from, std::vector<T>& out) {
  for (const element item : from.get_array().value()) read(item, out.emplace_back());
}
template <class T>
void read(const element& from, std::optional<T>& out) {
  if (from.is_null()) {
    out.reset();
  } else {
    read(from, out.emplace());
  }
}
template <class T>
void read(const element& from, sdk::Nullable<T>& out) {
  if (from.is_null()) {
    out = nullptr;
  } else {
    T value{};
    read(from, value);
    out = std::move(value);
  }
}

template <class T>
void take(const object& from, std::string_view name, T& out) {
  if (const auto found = member(from, name)) read(*found, out);
}

// Every member that is in no list, as it is.
inline std::vector<std::pair<std::string, sdk::Json>> others(const object& from,
                                                             std::initializer_list<std::string_view> known) {
  std::vector<std::pair<std::string, sdk::Json>> out;
  for (const auto field : from) {
    if (std::find(known.begin(), known.end(), field.key) == known.end())
      out.emplace_back(field.key, sdk::Json{simdjson::to_string(field.value)});
  }
  return out;
}

sdk::EmbeddingsRequest request_of(const object& args);
sdk::CallOptions options_of(const object& args);
sdk::ClientOptions client_of(const object& args);

}  // namespace sdk_driver
