#pragma once
// How requests and answers say "absent", "null", and "whatever the server means by it".

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace embedrouter::sdk::inline v0 {

// JSON text. What you put into a request must be valid; what comes in an answer is.
struct Json {
  std::string text;
};

// A member of a request that may be left out, be null, or have a value: three different things.
template <class T>
class Nullable {
 public:
  Nullable() = default;
  Nullable(std::nullptr_t) : set_(true) {}
  Nullable(T value) : set_(true), value_(std::move(value)) {}
  template <class U>
    requires std::is_convertible_v<U, T>
  Nullable(U&& value) : set_(true), value_(std::in_place, std::forward<U>(value)) {}

  // is_set(): it is sent; is_null(): as null; value(): else as this.
  bool is_set() const noexcept { return set_; }
  bool is_null() const noexcept { return set_ && !value_; }
  const std::optional<T>& value() const noexcept { return value_; }

 private:
  bool set_ = false;
  std::optional<T> value_;
};

}  // namespace embedrouter::sdk::inline v0
